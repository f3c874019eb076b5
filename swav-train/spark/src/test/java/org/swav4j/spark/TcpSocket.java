package org.swav4j.spark;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A TCP socket of a process, as Linux tells in {@code /proc}.
 *
 * @param process its number
 * @param listening whether it takes connections
 * @param local end
 * @param port of the local end
 * @param remote end; any where it is listening
 */
record TcpSocket(long process, boolean listening, InetAddress local, int port, InetAddress remote) {
  private static final String LISTENING = "0A";

  /** Columns of a line. */
  private static final int LOCAL = 1;

  private static final int REMOTE = 2;
  private static final int STATE = 3;
  private static final int INODE = 9;

  static boolean areTold() {
    return Files.isReadable(Path.of("/proc/self/net/tcp"));
  }

  /** Whether both ends are this machine's loopback interface, or the only one is. */
  boolean isLoopback() {
    return local.isLoopbackAddress() && (listening || remote.isLoopbackAddress());
  }

  static List<TcpSocket> of(long process) throws IOException {
    Path folder = Path.of("/proc", Long.toString(process));
    Set<String> own = new HashSet<>();
    try (Stream<Path> open = Files.list(folder.resolve("fd"))) {
      for (Path file : open.toList()) {
        try {
          own.add(Files.readSymbolicLink(file).toString());
        } catch (IOException e) {
          // Closed since it was listed.
        }
      }
    }
    List<TcpSocket> sockets = new ArrayList<>();
    for (String table : new String[] {"tcp", "tcp6"}) {
      Path file = folder.resolve("net").resolve(table);
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          String[] columns = line.strip().split("\\s+");
          if (own.contains("socket:[" + columns[INODE] + "]")) {
            sockets.add(
                new TcpSocket(
                    process,
                    columns[STATE].equals(LISTENING),
                    address(columns[LOCAL]),
                    port(columns[LOCAL]),
                    address(columns[REMOTE])));
          }
        }
      }
    }
    return sockets;
  }

  /** Four bytes at a time, each time in the machine's order; Java takes a mapped IPv4 for IPv4. */
  private static InetAddress address(String end) throws IOException {
    byte[] told = HexFormat.of().parseHex(end.substring(0, end.indexOf(':')));
    ByteBuffer network = ByteBuffer.allocate(told.length);
    IntBuffer words = ByteBuffer.wrap(told).order(ByteOrder.nativeOrder()).asIntBuffer();
    while (words.hasRemaining()) {
      network.putInt(words.get());
    }
    return InetAddress.getByAddress(network.array());
  }

  private static int port(String end) {
    return Integer.parseInt(end.substring(end.indexOf(':') + 1), 16);
  }
}
