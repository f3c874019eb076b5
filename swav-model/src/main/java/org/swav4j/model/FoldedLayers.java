package org.swav4j.model;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A backbone as nodes, each layer folded into the one before where nothing else reads that: norms
 * into convolutions, sums and rectifiers into what makes their operands.
 */
final class FoldedLayers {
  private FoldedLayers() {}

  /** Something computed from what came before. Two nodes are the same only if they are one. */
  sealed interface Node {}

  /** Where it begins. */
  record Images() implements Node {}

  /** relu(norm(convolution(x)) + residual); norm and residual may be null, relu left out. */
  record Convolved(
      Node x, Backbone.Convolution convolution, String norm, Node residual, boolean relu)
      implements Node {}

  /** relu(norm(x)) of what is no convolution, or is read elsewhere too. */
  record Normed(Node x, String norm, boolean relu) implements Node {}

  /** relu(a + b) where neither ends with a convolution that is read here only. */
  record Added(String name, Node a, Node b, boolean relu) implements Node {}

  /** relu(x) of anything else. */
  record Rectified(String name, Node x) implements Node {}

  /** x where x &gt; 0, elsewhere slope · x. */
  record Leaky(String name, Node x, double slope) implements Node {}

  /** The channels of a, then those of b. */
  record Joined(String name, Node a, Node b) implements Node {}

  /** The largest in each window. */
  record Pooled(String name, Node x, Backbone.Window window) implements Node {}

  /** The mean over each window. */
  record Averaged(String name, Node x, Backbone.Window window) implements Node {}

  /** The mean over all pixels. */
  record Averages(Node x) implements Node {}

  /** The node that gives the features. */
  static Node of(Backbone backbone) {
    Layer images = new Layer(Kind.IMAGES, "images", null, null, null, null, 0);
    return new Folding().node(backbone.features(images, new Reading()));
  }

  /** Visits a node after all that it is computed from, each once. */
  static void each(Node last, Consumer<Node> visitor) {
    each(last, visitor, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  private static void each(Node node, Consumer<Node> visitor, Set<Node> seen) {
    if (node == null || !seen.add(node)) {
      return;
    }
    if (node instanceof Convolved n) {
      each(n.x, visitor, seen);
      each(n.residual, visitor, seen);
    } else if (node instanceof Normed n) {
      each(n.x, visitor, seen);
    } else if (node instanceof Added n) {
      each(n.a, visitor, seen);
      each(n.b, visitor, seen);
    } else if (node instanceof Rectified n) {
      each(n.x, visitor, seen);
    } else if (node instanceof Leaky n) {
      each(n.x, visitor, seen);
    } else if (node instanceof Joined n) {
      each(n.a, visitor, seen);
      each(n.b, visitor, seen);
    } else if (node instanceof Pooled n) {
      each(n.x, visitor, seen);
    } else if (node instanceof Averaged n) {
      each(n.x, visitor, seen);
    } else if (node instanceof Averages n) {
      each(n.x, visitor, seen);
    }
    visitor.accept(node);
  }

  private enum Kind {
    IMAGES,
    CONVOLUTION,
    NORM,
    RELU,
    LEAKY_RELU,
    ADD,
    CONCAT,
    MAX_POOL,
    AVERAGE_POOL,
    MEAN
  }

  /** A layer as it was described. */
  private static final class Layer {
    final Kind kind;
    final String name;
    final Layer a;
    final Layer b;
    final Backbone.Convolution convolution;
    final Backbone.Window window;
    final double slope;
    int readers;

    Layer(
        Kind kind,
        String name,
        Layer a,
        Layer b,
        Backbone.Convolution convolution,
        Backbone.Window window,
        double slope) {
      this.kind = kind;
      this.name = name;
      this.a = a;
      this.b = b;
      this.convolution = convolution;
      this.window = window;
      this.slope = slope;
      if (a != null) {
        a.readers++;
      }
      if (b != null) {
        b.readers++;
      }
    }
  }

  /** Writes the description down. */
  private static final class Reading implements Backbone.Layers<Layer> {
    private int unnamed;

    private String name(String of) {
      unnamed++;
      return of + " " + unnamed;
    }

    @Override
    public Layer convolution(Layer x, Backbone.Convolution c) {
      return new Layer(Kind.CONVOLUTION, c.name(), x, null, c, null, 0);
    }

    @Override
    public Layer norm(Layer x, String name) {
      return new Layer(Kind.NORM, name, x, null, null, null, 0);
    }

    @Override
    public Layer relu(Layer x) {
      return new Layer(Kind.RELU, name("relu"), x, null, null, null, 0);
    }

    @Override
    public Layer leakyRelu(Layer x, double slope) {
      return new Layer(Kind.LEAKY_RELU, name("leaky relu"), x, null, null, null, slope);
    }

    @Override
    public Layer add(Layer a, Layer b) {
      return new Layer(Kind.ADD, name("sum"), a, b, null, null, 0);
    }

    @Override
    public Layer concat(Layer a, Layer b) {
      return new Layer(Kind.CONCAT, name("concat"), a, b, null, null, 0);
    }

    @Override
    public Layer maxPool(Layer x, Backbone.Window window) {
      return new Layer(Kind.MAX_POOL, name("max pool"), x, null, null, window, 0);
    }

    @Override
    public Layer averagePool(Layer x, Backbone.Window window) {
      return new Layer(Kind.AVERAGE_POOL, name("average pool"), x, null, null, window, 0);
    }

    @Override
    public Layer mean(Layer x) {
      return new Layer(Kind.MEAN, "features", x, null, null, null, 0);
    }
  }

  /** Makes the nodes. */
  private static final class Folding {
    private final Map<Layer, Node> nodes = new IdentityHashMap<>();

    Node node(Layer layer) {
      Node known = nodes.get(layer);
      if (known == null) {
        known = folded(layer);
        nodes.put(layer, known);
      }
      return known;
    }

    private Node folded(Layer layer) {
      return switch (layer.kind) {
        case IMAGES -> new Images();
        case CONVOLUTION -> new Convolved(node(layer.a), layer.convolution, null, null, false);
        case NORM -> {
          Convolved c = open(layer.a);
          yield c != null && c.norm == null && c.residual == null
              ? new Convolved(c.x, c.convolution, layer.name, null, false)
              : new Normed(node(layer.a), layer.name, false);
        }
        case RELU -> rectified(layer);
        case LEAKY_RELU -> new Leaky(layer.name, node(layer.a), layer.slope);
        case CONCAT -> new Joined(layer.name, node(layer.a), node(layer.b));
        case ADD -> {
          Convolved a = open(layer.a);
          Convolved b = open(layer.b);
          if (a != null && a.residual == null) {
            yield new Convolved(a.x, a.convolution, a.norm, node(layer.b), false);
          }
          yield b != null && b.residual == null
              ? new Convolved(b.x, b.convolution, b.norm, node(layer.a), false)
              : new Added(layer.name, node(layer.a), node(layer.b), false);
        }
        case MAX_POOL -> new Pooled(layer.name, node(layer.a), layer.window);
        case AVERAGE_POOL -> new Averaged(layer.name, node(layer.a), layer.window);
        case MEAN -> new Averages(node(layer.a));
      };
    }

    /** The convolution that makes a layer's result, if it can still take something on. */
    private Convolved open(Layer layer) {
      return layer.readers == 1 && node(layer) instanceof Convolved c && !c.relu ? c : null;
    }

    private Node rectified(Layer layer) {
      Node x = node(layer.a);
      if (layer.a.readers == 1) {
        if (x instanceof Convolved c && !c.relu) {
          return new Convolved(c.x, c.convolution, c.norm, c.residual, true);
        }
        if (x instanceof Normed n && !n.relu) {
          return new Normed(n.x, n.norm, true);
        }
        if (x instanceof Added s && !s.relu) {
          return new Added(s.name, s.a, s.b, true);
        }
      }
      return new Rectified(layer.name, x);
    }
  }
}
