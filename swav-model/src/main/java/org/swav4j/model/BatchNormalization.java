package org.swav4j.model;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.imports.converters.ImportClassMapping;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.CustomOpDescriptor;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Batch normalisation in training as SameDiff ops whose gradient is right. ND4J's own {@code
 * batchNorm} cannot be differentiated (its axis is lost when autodiff copies it), but the native
 * pair behind it is exact when fed the batch's moments: its backward op gives the full derivative
 * with respect to x, through mean and variance. So the moments contribute no gradient of their own.
 *
 * <p>Autodiff copies ops by name; these have names of their own, registered below.
 */
final class BatchNormalization {
  static final double EPSILON = 1e-5;

  static final String MOMENTS = "swav_moments";
  static final String NORM = "swav_batchnorm";
  static final String NORM_BP = "swav_batchnorm_bp";

  static {
    Map<String, DifferentialFunction> names = ImportClassMapping.getOpNameMapping();
    names.put(MOMENTS, new Moments());
    names.put(NORM, new Norm());
    names.put(NORM_BP, new NormBp());
  }

  private BatchNormalization() {}

  /** y, mean and (biased) variance of x normalised over every axis but 1. */
  static SDVariable[] apply(
      SameDiff sd, String name, SDVariable x, int rank, SDVariable gamma, SDVariable beta) {
    SDVariable[] m = new Moments(sd, x, rank).outputVariables(name + ".moments");
    SDVariable mean = m[0].rename(name + ".mean");
    SDVariable variance = m[1].rename(name + ".variance");
    SDVariable y = new Norm(sd, x, mean, variance, gamma, beta).outputVariable().rename(name);
    return new SDVariable[] {y, mean, variance};
  }

  /**
   * An op under a name of ours that runs a native op. Its names are asked for by the superclass's
   * constructor: they can't be fields.
   */
  abstract static class Renamed extends DynamicCustomOp {
    Renamed() {}

    Renamed(SameDiff sd, SDVariable... args) {
      super(null, sd, args, false);
    }

    abstract String nativeName();

    @Override
    public CustomOpDescriptor getDescriptor() {
      return Nd4j.getExecutioner().getCustomOperations().get(nativeName());
    }

    @Override
    public long opHash() {
      return getDescriptor().getHash();
    }

    @Override
    public Map<String, Object> propertiesForFunction() {
      return Map.of();
    }

    @Override
    public void setPropertiesForFunction(Map<String, Object> properties) {}

    @Override
    public void configureFromArguments() {}

    @Override
    public List<DataType> calculateOutputDataTypes(List<DataType> in) {
      DataType[] types = new DataType[getNumOutputs()];
      Arrays.fill(types, in.get(0));
      return List.of(types);
    }
  }

  /** x → mean, biased variance. */
  public static final class Moments extends Renamed {
    /** For copies. */
    public Moments() {}

    @Override
    public String opName() {
      return MOMENTS;
    }

    @Override
    String nativeName() {
      return "moments";
    }

    @Override
    public int getNumOutputs() {
      return 2;
    }

    Moments(SameDiff sd, SDVariable x, int rank) {
      super(sd, x);
      if (rank == 4) {
        addIArgument(0, 2, 3);
      } else {
        addIArgument(0);
      }
    }

    @Override
    public List<SDVariable> doDiff(List<SDVariable> gradients) {
      return List.of(sameDiff.zerosLike(arg(0)));
    }
  }

  /** x, mean, variance, gamma, beta → y. */
  public static final class Norm extends Renamed {
    /** For copies. */
    public Norm() {}

    @Override
    public String opName() {
      return NORM;
    }

    @Override
    String nativeName() {
      return "batchnorm";
    }

    @Override
    public int getNumOutputs() {
      return 1;
    }

    Norm(SameDiff sd, SDVariable... args) {
      super(sd, args);
      addIArgument(1, 1, 1);
      addTArgument(EPSILON);
    }

    @Override
    public List<SDVariable> doDiff(List<SDVariable> gradients) {
      SDVariable[] a = args();
      return List.of(
          new NormBp(sameDiff, a[0], a[1], a[2], a[3], a[4], gradients.get(0)).outputVariables());
    }
  }

  /** x, mean, variance, gamma, beta, dy → dx, 0, 0, dgamma, dbeta. */
  public static final class NormBp extends Renamed {
    /** For copies. */
    public NormBp() {}

    @Override
    public String opName() {
      return NORM_BP;
    }

    @Override
    String nativeName() {
      return "batchnorm_bp";
    }

    @Override
    public int getNumOutputs() {
      return 5;
    }

    NormBp(SameDiff sd, SDVariable... args) {
      super(sd, args);
      addIArgument(1, 1, 1);
      addTArgument(EPSILON);
    }

    @Override
    public List<SDVariable> doDiff(List<SDVariable> gradients) {
      throw new IllegalStateException("batch norm's gradient is not itself differentiated");
    }
  }
}
