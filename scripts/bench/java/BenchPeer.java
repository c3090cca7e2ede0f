import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The JVM's side of a benchmark: a real JGroups member with Geode's stack that sends and counts as fast as it can.
 * Steered by lines as RollgatePeer is, with the same arguments; scripts/bench/harness/worker.ts has the same commands
 * for our own side, so that both do the same work.
 */
public final class BenchPeer {
  /**
   * What makes Geode's stack file one over TCP: the transport, with the bundling, send queues and buffers of the tcp.xml
   * that JGroups comes with, and without what only UDP has. All else stays Geode's.
   */
  private static final Map<String, String> OVER_TCP = Map.of(
      "org.apache.geode.distributed.internal.membership.gms.messenger.Transport",
      "TCP max_bundle_size=\"64K\" max_bundle_timeout=\"30\" use_send_queues=\"true\" sock_conn_timeout=\"300\"",
      "ucast_recv_buf_size=\"UDP_RECV_BUFFER_SIZE\"", "recv_buf_size=\"5M\"",
      "ucast_send_buf_size=\"UDP_SEND_BUFFER_SIZE\"", "send_buf_size=\"5M\"",
      "mcast_port=\"0\"", "",
      "ip_mcast=\"false\"", "",
      "tos=\"16\"", "",
      "disable_loopback=\"false\"", "");

  private final Events events = new Events();
  private final BenchReceiver receiver = new BenchReceiver(events);
  private final PeerStack stack;

  private BenchPeer(Map<String, String> arguments) throws Exception {
    Map<String, String> placeholders = new HashMap<>(arguments);
    placeholders.keySet().removeIf(key -> !key.equals(key.toUpperCase()));
    if ("tcp".equals(arguments.get("transport"))) placeholders.putAll(OVER_TCP);
    stack = new PeerStack(
        InetAddress.getByName(arguments.getOrDefault("host", "127.0.0.1")),
        Integer.parseInt(arguments.getOrDefault("port", "0")),
        0,
        arguments.getOrDefault("uuid", ""),
        arguments.getOrDefault("config", PeerStack.DEFAULT_CONFIG),
        placeholders,
        receiver);
    receiver.stack(stack);
    events.emit(Json.event("up").put("uuid", stack.self().uuid).put("port", stack.self().port));
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> map = new HashMap<>();
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      if (at < 1) throw new IllegalArgumentException("an argument is key=value, not " + argument);
      map.put(argument.substring(0, at), argument.substring(at + 1));
    }
    BenchPeer peer;
    try {
      peer = new BenchPeer(map);
    } catch (Exception | LinkageError e) {
      System.err.println("cannot start: " + e);
      Runtime.getRuntime().halt(2);
      return;
    }
    peer.readCommands();
    Runtime.getRuntime().halt(0);
  }

  private void readCommands() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.trim().split(" +");
      if (words[0].equals("quit")) return;
      try {
        execute(words);
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
      case "expect": // <count> <sizeBytes> <ring>
        receiver.expect(Long.parseLong(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        events.emit(Json.event("expecting"));
        break;
      case "progress":
        events.emit(Json.event("progress").put("received", receiver.received()));
        break;
      case "send": // <count> <sizeBytes> <ring> <dont-bundle|bundle> <uuid>,...
        inBackground("send", () -> send(words));
        break;
      case "ping": // <count> <sizeBytes> <uuid>
        receiver.ping(Integer.parseInt(words[1]), Integer.parseInt(words[2]), find(words[3]));
        break;
      case "echo": // on | off
        receiver.echo(words[1].equals("on"));
        events.emit(Json.event("echoing"));
        break;
      case "drain": // <timeoutMs>
        inBackground("drain", () -> drain(Long.parseLong(words[1])));
        break;
      default:
        events.error(words[0], "no such command");
    }
  }

  private void installView(String[] words) throws Exception {
    List<Member> members = new ArrayList<>();
    for (int i = 2; i < words.length; i++) members.add(Member.parse(words[i]));
    stack.installView(Long.parseLong(words[1]), members);
    events.emit(Json.event("view"));
  }

  private Member find(String uuid) {
    for (Member member : stack.others()) if (member.uuid.equals(uuid)) return member;
    throw new IllegalArgumentException("no other member " + uuid + " in the view");
  }

  private void send(String[] words) throws Exception {
    long count = Long.parseLong(words[1]);
    byte[][] payloads = StampedPayload.ring(Integer.parseInt(words[2]), Integer.parseInt(words[3]));
    Flags flags = Flags.parse(words[4].equals("bundle") ? "B" : "");
    String[] uuids = words[5].split(",");
    Member[] recipients = new Member[uuids.length];
    for (int i = 0; i < uuids.length; i++) recipients[i] = find(uuids[i]);
    long startNanos = System.nanoTime();
    int next = 0;
    for (long i = 0; i < count; i++) {
      byte[] payload = payloads[next];
      if (++next == payloads.length) next = 0;
      for (Member recipient : recipients) stack.send(recipient, payload, flags);
    }
    events.emit(Json.event("sent").put("startNs", startNanos).put("endNs", System.nanoTime()));
  }

  private void drain(long timeoutMs) throws Exception {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    boolean drained;
    while (!(drained = stack.unacked() == 0) && System.nanoTime() < deadline) Thread.sleep(2);
    events.emit(Json.event("drained").put("ok", drained));
  }

  private interface Work {
    void run() throws Exception;
  }

  private void inBackground(String name, Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Exception e) {
        events.error(name, e);
      }
    }, name);
    thread.setDaemon(true);
    thread.start();
  }
}
