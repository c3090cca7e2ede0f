import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A real JGroups process that is steered by lines on standard input and logs all that it does. It ends when
 * standard input does, so it never outlives who started it. After each command it prints an event "done".
 */
abstract class RecordingPeer {
  /** An orderly end that takes longer than this is cut short. */
  private static final long QUIT_MS = 8_000;
  /** Labels of different peers are so far apart. */
  private static final int LABELS = 100_000;

  /** Made at the start of the process, before its stack. */
  final Truth truth;
  private int lastLabel;
  private volatile long stallMs;

  RecordingPeer(int index) {
    truth = Truth.of(Naming.peer(index));
    lastLabel = index * LABELS;
  }

  /** key=value each. */
  static Map<String, String> parse(String[] arguments) {
    Map<String, String> map = new HashMap<>();
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      if (at < 1) throw new IllegalArgumentException("an argument is key=value, not " + argument);
      map.put(argument.substring(0, at), argument.substring(at + 1));
    }
    return map;
  }

  /** @param index of the recipient, -1 for the group */
  abstract void send(int index, byte[] payload, String flags) throws Exception;

  /** @param flags letters as for send */
  abstract String flagNames(String flags);

  /** @return whether there is such a command */
  abstract boolean executeOwn(String[] words) throws Exception;

  abstract void close();

  void run() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.trim().split(" +");
      if (words[0].equals("quit")) break;
      try {
        execute(words);
        truth.done();
      } catch (Exception e) {
        truth.error(line, e);
      }
    }
    quit();
  }

  private void execute(String[] words) throws Exception {
    switch (words[0]) {
      case "send": // <index>|all <size> <count> [<flags>|-] [<pauseMs>]
        send(words);
        break;
      case "ping": // <index>: Geode's quorum check
        sendOne(Integer.parseInt(words[1]), "ping".getBytes(StandardCharsets.US_ASCII), "OFR");
        break;
      case "drop": // <every> <max>
        Loss.rules().drop(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
        break;
      case "cut": // <port>,...
        cut(words[1]);
        break;
      case "heal":
        Loss.rules().cut(new TreeSet<>());
        break;
      case "stall": // <ms>: the application takes that long for the next message
        stallMs = Long.parseLong(words[1]);
        truth.log("stall", "ms", stallMs);
        break;
      default:
        if (!executeOwn(words)) throw new IllegalArgumentException("no such command");
    }
  }

  static void cut(String ports) {
    Set<Integer> set = new TreeSet<>();
    for (String port : ports.split(",")) set.add(Integer.parseInt(port));
    Loss.rules().cut(set);
  }

  private void send(String[] words) throws Exception {
    int index = words[1].equals("all") ? -1 : Integer.parseInt(words[1]);
    int size = Integer.parseInt(words[2]);
    int count = Integer.parseInt(words[3]);
    String flags = words.length > 4 && !words[4].equals("-") ? words[4] : "";
    long pauseMs = words.length > 5 ? Long.parseLong(words[5]) : 0;
    for (int i = 0; i < count; i++) {
      if (i > 0 && pauseMs > 0) Thread.sleep(pauseMs);
      sendOne(index, LabelledPayload.of(++lastLabel, size), flags);
    }
  }

  private void sendOne(int index, byte[] payload, String flags) throws Exception {
    int label = payload.length < 4 ? lastLabel : LabelledPayload.label(payload);
    truth.log("send", "dest", index < 0 ? "ALL" : Naming.peer(index), "label", label, "len", payload.length,
        "sha", Truth.sha(payload, 0, payload.length), "flags", flagNames(flags));
    send(index, payload, flags);
  }

  /** For the receiver of the stack. */
  void delivered(String src, String dest, byte[] payload, String flags) {
    long ms = stallMs;
    stallMs = 0;
    truth.deliver(src, dest, payload == null ? new byte[0] : payload, flags);
    if (ms == 0) return;
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void quit() throws InterruptedException {
    Thread guard = new Thread(() -> {
      try {
        Thread.sleep(QUIT_MS);
      } catch (InterruptedException e) {
        // as good as over
      }
      Runtime.getRuntime().halt(3);
    }, "guard");
    guard.setDaemon(true);
    guard.start();
    close();
    truth.log("quit");
    truth.flush();
    // Not exit(): nothing of the stack may hold it up any more.
    Runtime.getRuntime().halt(0);
  }

  /** Tells why on standard error. */
  static void fail(Throwable problem) {
    System.err.println("cannot start: " + problem);
    for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
      System.err.println("  because of " + cause);
    }
    Runtime.getRuntime().halt(2);
  }
}
