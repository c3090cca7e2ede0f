import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jgroups.Version;

/**
 * A real JGroups member with Geode's stack, steered by lines on standard input, telling what happens by one
 * JSON object a line on standard output. It ends when standard input does, so it never outlives who started it.
 *
 * <p>Arguments are key=value: host, port (0: any), uuid (32 hex digits), viewId, config (a stack file of
 * geode-membership), group (unicasts, or ip as in that file: what group messages go by), rsvp (a time in ms: with
 * JGroups' RSVP, as the highest protocol, that waits so long), and any placeholder of that file in capitals, such as UDP_RECV_BUFFER_SIZE=65535.
 *
 * <p>Commands: see {@link #execute}.
 */
public final class RollgatePeer {
  /** An orderly end that takes longer than this is cut short. */
  private static final long QUIT_MS = 8_000;

  private final Events events = new Events();
  private final Deliveries deliveries = new Deliveries(events);
  private final ScheduledExecutorService scheduler =
      Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "stats");
        thread.setDaemon(true);
        return thread;
      });
  private final PeerStack stack;
  private final Sender sender;
  private Future<?> periodicStats;

  private RollgatePeer(Map<String, String> arguments) throws Exception {
    Map<String, String> placeholders = new HashMap<>(arguments);
    placeholders.keySet().removeIf(key -> !key.equals(key.toUpperCase()));
    if ("unicasts".equals(arguments.get("group"))) placeholders.put("ip_mcast=\"true\"", "ip_mcast=\"false\"");
    if (arguments.containsKey("rsvp")) {
      placeholders.put(
          "</config>",
          "<RSVP timeout=\"" + arguments.get("rsvp") + "\" throw_exception_on_timeout=\"true\"/></config>");
    }
    stack = new PeerStack(
        InetAddress.getByName(arguments.getOrDefault("host", "127.0.0.1")),
        Integer.parseInt(arguments.getOrDefault("port", "0")),
        Integer.parseInt(arguments.getOrDefault("viewId", "-1")),
        arguments.getOrDefault("uuid", ""),
        arguments.getOrDefault("config", PeerStack.DEFAULT_CONFIG),
        placeholders,
        deliveries);
    sender = new Sender(stack, events);
    deliveries.self(stack.self());
    sender.startPonging(deliveries);
    events.emit(Json.event("up")
        .put("uuid", stack.self().uuid)
        .put("port", stack.self().port)
        .put("version", Version.print(Version.version)));
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> map = new HashMap<>();
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      if (at < 1) throw new IllegalArgumentException("an argument is key=value, not " + argument);
      map.put(argument.substring(0, at), argument.substring(at + 1));
    }
    RollgatePeer peer;
    try {
      peer = new RollgatePeer(map);
    } catch (Exception | LinkageError e) {
      System.err.println("cannot start: " + e);
      for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
        System.err.println("  because of " + cause);
      }
      Runtime.getRuntime().halt(2);
      return;
    }
    peer.readCommands();
    peer.quit();
  }

  private void readCommands() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.trim().split(" +");
      if (words[0].equals("quit")) return;
      try {
        execute(words);
      } catch (IndexOutOfBoundsException e) {
        events.error(words[0], "too few words: " + line);
      } catch (Exception e) {
        events.error(words[0], e);
      }
    }
  }

  private void execute(String[] words) throws Exception {
    switch (words[0]) {
      case "view": // <viewId> <host>:<port>:<viewId>:<uuid> ...
        installView(words);
        break;
      case "traffic": // <messagesPerSecond> <sizeBytes> | off
        if (words[1].equals("off")) sender.stopTraffic();
        else sender.startTraffic(Double.parseDouble(words[1]), Integer.parseInt(words[2]));
        break;
      case "burst": // <uuid> <count> <sizeBytes> [<flags> [<stream>]]
        sender.burst(
            find(words[1]), Long.parseLong(words[2]), Integer.parseInt(words[3]), flags(words, 4), stream(words, 5));
        break;
      case "group": // <count> <sizeBytes> [<flags> [<stream>]]
        sender.burst(null, Long.parseLong(words[1]), Integer.parseInt(words[2]), flags(words, 3), stream(words, 4));
        break;
      case "digest": // for a joiner; nothing becomes stable until the next view
        events.emit(Json.event("digest").put("hex", hex(stack.digestForJoiner())));
        break;
      case "ping": // <host> <port> <timeoutMs>
        ping(words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        break;
      case "merge-digest": // <hex>, before the first view
        stack.mergeDigest(bytes(words[1]));
        events.emit(Json.event("digest-merged"));
        break;
      case "raw": // <uuid> <hex> [<flags>]
        sender.sendRaw(find(words[1]), bytes(words[2]), flags(words, 3));
        break;
      case "stats": // [<id>] | every <ms>, 0 for never
        if (words.length > 1 && words[1].equals("every")) printStatsEvery(Long.parseLong(words[2]));
        else printStats(words.length > 1 ? Long.parseLong(words[1]) : 0);
        break;
      case "drain": // <timeoutMs>
        sender.drain(Long.parseLong(words[1]));
        break;
      case "echo": // on | off
        sender.startEchoing();
        deliveries.echo(words[1].equals("on") ? sender : null);
        break;
      case "deliveries": // on | off
        deliveries.print(words[1].equals("on"));
        break;
      default:
        events.error(words[0], "no such command");
    }
  }

  private void installView(String[] words) throws Exception {
    List<Member> members = new ArrayList<>();
    for (int i = 2; i < words.length; i++) members.add(Member.parse(words[i]));
    long id = Long.parseLong(words[1]);
    stack.installView(id, members);
    events.emit(Json.event("view").put("id", id).put("members", members.size()));
  }

  private Member find(String uuid) {
    for (Member member : stack.others()) if (member.uuid.equals(uuid)) return member;
    throw new IllegalArgumentException("no other member " + uuid + " in the view");
  }

  private static Flags flags(String[] words, int at) {
    return words.length > at ? Flags.parse(words[at]) : Flags.NONE;
  }

  private static long stream(String[] words, int at) {
    return words.length > at ? Long.parseLong(words[at]) : 0;
  }

  private static String hex(byte[] bytes) {
    StringBuilder hex = new StringBuilder();
    for (byte b : bytes) hex.append(String.format("%02x", b));
    return hex.toString();
  }

  private static byte[] bytes(String hex) {
    byte[] bytes = new byte[hex.length() / 2];
    for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    return bytes;
  }

  /** Geode's port-availability probe (WIRE-3.6 section 13), from a socket of its own: 4 raw bytes. */
  private void ping(String host, int port, int timeoutMs) throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0, stack.self().host)) {
      byte[] ping = "ping".getBytes(StandardCharsets.US_ASCII);
      socket.setSoTimeout(timeoutMs);
      socket.send(new DatagramPacket(ping, ping.length, InetAddress.getByName(host), port));
      DatagramPacket answer = new DatagramPacket(new byte[100], 100);
      socket.receive(answer);
      String text = new String(answer.getData(), 0, answer.getLength(), StandardCharsets.ISO_8859_1);
      events.emit(Json.event("pong").put("text", text));
    } catch (SocketTimeoutException e) {
      events.emit(Json.event("pong").put("text", ""));
    }
  }

  private void printStats(long id) throws IllegalAccessException {
    // What is unacked is read last: a sum of 0 then holds for all that is counted as sent.
    events.emit(Json.event("stats")
        .put("id", id)
        .putRaw("sent", sender.sentJson())
        .putRaw("received", deliveries.toJson())
        .put("raw", deliveries.raw())
        .put("returned", deliveries.returned())
        .put("dropped", events.dropped() + sender.echoesDropped())
        .put("creditRequests", stack.creditRequests())
        .put("unstableBytes", stack.unstableBytes())
        .put("unacked", stack.unacked()));
  }

  private void printStatsEvery(long periodMs) {
    if (periodicStats != null) periodicStats.cancel(false);
    periodicStats = periodMs == 0 ? null : scheduler.scheduleAtFixedRate(() -> {
      try {
        printStats(0);
      } catch (IllegalAccessException e) {
        events.error("stats", e);
      }
    }, periodMs, periodMs, TimeUnit.MILLISECONDS);
  }

  private void quit() throws InterruptedException {
    scheduler.schedule(() -> Runtime.getRuntime().halt(3), QUIT_MS, TimeUnit.MILLISECONDS);
    sender.close();
    stack.close();
    events.emit(Json.event("quit"));
    events.flush();
    // Not exit(): nothing of the stack may hold it up any more.
    Runtime.getRuntime().halt(0);
  }
}
