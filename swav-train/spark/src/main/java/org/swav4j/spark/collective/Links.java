package org.swav4j.spark.collective;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.StreamCallbackWithID;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientBootstrap;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.sasl.SecretKeyHolder;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.server.TransportServerBootstrap;
import org.apache.spark.network.util.ConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.swav4j.spark.collective.SparkCollective.Header;

/**
 * Connections between workers, one in each direction for both lanes, by Spark's transport. With
 * {@code spark.authenticate} both ends must prove that they know the application's secret before
 * anything is read of them; with {@code spark.network.crypto.enabled} all of it is encrypted.
 */
final class Links implements AutoCloseable {
  private static final String MODULE = "swav";

  private final String host;
  private final Mailbox[] mailboxes;
  private final TransportContext context;
  private final TransportClientFactory factory;
  private final TransportServer server;
  private TransportClient[] clients = {};
  private String[] addresses = {};

  private Links(
      String host,
      Mailbox[] mailboxes,
      TransportConf conf,
      List<TransportServerBootstrap> accepting,
      List<TransportClientBootstrap> connecting) {
    this.host = host;
    this.mailboxes = mailboxes;
    this.context = new TransportContext(conf, new Receiver());
    this.factory = context.createClientFactory(connecting);
    this.server = context.createServer(host, 0, accepting);
  }

  /**
   * Listens, connected to nobody yet.
   *
   * @param mailboxes where what comes is put, by lane
   */
  static Links listen(String host, SparkConf conf, SecretKeyHolder secrets, Mailbox... mailboxes) {
    if (conf.getBoolean("spark.ssl.rpc.enabled", false)) {
      throw new IllegalArgumentException(
          "spark.ssl.rpc.enabled is true, and sums between workers are not sent through TLS:"
              + " encrypt with spark.network.crypto.enabled instead");
    }
    TransportConf transport = new TransportConf(MODULE, new Configuration(conf));
    boolean authenticate = conf.getBoolean("spark.authenticate", false);
    return new Links(
        host,
        mailboxes,
        transport,
        authenticate ? List.of(new AuthServerBootstrap(transport, secrets)) : List.of(),
        authenticate
            ? List.of(new AuthClientBootstrap(transport, secrets.getSaslUser(MODULE), secrets))
            : List.of());
  }

  /** Where the others reach this worker: {@code host:port}. */
  String address() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + server.getPort();
  }

  String[] addresses() {
    return addresses.clone();
  }

  /** Connects to all others, by rank. */
  void connect(String[] all) {
    addresses = all.clone();
    clients = new TransportClient[all.length];
    for (int peer = 0; peer < all.length; peer++) {
      if (all[peer].equals(address())) {
        continue;
      }
      int colon = all[peer].lastIndexOf(':');
      String name = all[peer].substring(0, colon).replaceAll("[\\[\\]]", "");
      try {
        clients[peer] =
            factory.createUnmanagedClient(name, Integer.parseInt(all[peer].substring(colon + 1)));
      } catch (IOException | RuntimeException e) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "worker %d at %s can't be reached: %s; is the port closed to other machines, or has"
                    + " the worker another spark.authenticate.secret?",
                peer,
                all[peer],
                e.getMessage()),
            e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while connecting to worker " + peer, e);
      }
    }
  }

  void send(int peer, ByteBuffer message) {
    clients[peer].send(message);
  }

  /** Sends memory that must stay as it is until this is acknowledged to the lane's mailbox. */
  void upload(int lane, int peer, ByteBuffer header, ByteBuffer content) {
    if (!content.hasRemaining()) {
      return;
    }
    mailboxes[lane].uploading();
    clients[peer].uploadStream(
        new NioManagedBuffer(header),
        new NioManagedBuffer(content),
        new RpcResponseCallback() {
          @Override
          public void onSuccess(ByteBuffer response) {
            mailboxes[lane].acknowledged();
          }

          @Override
          public void onFailure(Throwable e) {
            gone(peer, "it did not take what was sent: " + e.getMessage());
          }
        });
  }

  private Mailbox mailbox(Header header) throws IOException {
    if (header.lane() < 0 || header.lane() >= mailboxes.length) {
      throw new IOException(
          "a message on lane " + header.lane() + ", and there are " + mailboxes.length);
    }
    return mailboxes[header.lane()];
  }

  /** A worker that is gone is missed on both lanes. */
  private void gone(int peer, String reason) {
    for (Mailbox mailbox : mailboxes) {
      mailbox.gone(peer, reason);
    }
  }

  private void failed(String reason) {
    for (Mailbox mailbox : mailboxes) {
      mailbox.failed(reason);
    }
  }

  @Override
  public void close() {
    for (Mailbox mailbox : mailboxes) {
      mailbox.close();
    }
    for (TransportClient client : clients) {
      if (client != null) {
        client.close();
      }
    }
    server.close();
    factory.close();
    context.close();
  }

  /** Puts into the mailbox what comes in. */
  private final class Receiver extends RpcHandler {
    private final StreamManager streams = new OneForOneStreamManager();
    private final Map<TransportClient, Integer> ranks = new ConcurrentHashMap<>();

    @Override
    public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
      callback.onFailure(new IOException("workers send no requests of this kind"));
    }

    @Override
    public void receive(TransportClient client, ByteBuffer message) {
      try {
        Header header = Header.read(message);
        ranks.put(client, header.rank());
        mailbox(header).put(header, message);
      } catch (IOException e) {
        failed(e.getMessage());
      }
    }

    @Override
    public StreamCallbackWithID receiveStream(
        TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
      try {
        Header header = Header.read(message);
        ranks.put(client, header.rank());
        Mailbox.Piece piece = mailbox(header).piece(header);
        return new StreamCallbackWithID() {
          @Override
          public String getID() {
            return "sum "
                + header.number()
                + " of lane "
                + header.lane()
                + " of worker "
                + header.rank();
          }

          @Override
          public void onData(String stream, ByteBuffer bytes) throws IOException {
            piece.put(bytes);
          }

          @Override
          public void onComplete(String stream) {
            // Spark then answers, which is the acknowledgement.
          }

          @Override
          public void onFailure(String stream, Throwable cause) {
            gone(header.rank(), "its connection broke: " + cause.getMessage());
          }
        };
      } catch (IOException e) {
        failed(e.getMessage());
        throw new IllegalStateException(e.getMessage(), e);
      }
    }

    @Override
    public StreamManager getStreamManager() {
      return streams;
    }

    @Override
    public void channelInactive(TransportClient client) {
      Integer rank = ranks.remove(client);
      if (rank != null) {
        gone(rank, "its connection ended");
      }
    }
  }

  /** Spark's settings, with as many threads as there is to do unless others are asked for. */
  private static final class Configuration extends ConfigProvider {
    private final Map<String, String> values = new HashMap<>();

    Configuration(SparkConf conf) {
      Arrays.stream(conf.getAll()).forEach(pair -> values.put(pair._1(), pair._2()));
      String timeout = conf.get("spark.network.timeout", "120s");
      values.putIfAbsent("spark." + MODULE + ".io.connectionTimeout", timeout);
      values.putIfAbsent("spark." + MODULE + ".io.serverThreads", "2");
      values.putIfAbsent("spark." + MODULE + ".io.clientThreads", "2");
    }

    @Override
    public String get(String name) {
      String value = values.get(name);
      if (value == null) {
        throw new NoSuchElementException(name);
      }
      return value;
    }

    @Override
    public Iterable<Map.Entry<String, String>> getAll() {
      return values.entrySet();
    }
  }
}
