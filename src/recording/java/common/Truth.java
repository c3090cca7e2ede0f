import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What this peer says of itself: one JSON object a line on standard output (compat-fixtures/README.md). */
final class Truth {
  private static Truth current;

  private final Events events = new Events();
  private final String peer;
  private int delivered;

  private Truth(String peer) {
    this.peer = peer;
  }

  static synchronized Truth of(String peer) {
    current = new Truth(peer);
    return current;
  }

  /** JGroups makes its protocols itself, and there is one peer in a JVM: so they find it here. */
  static synchronized Truth current() {
    return current;
  }

  /** @param fields names and values in turn; a value is a String or a whole number. */
  synchronized void log(String event, Object... fields) {
    Json json = new Json().put("t", System.currentTimeMillis()).put("peer", peer).put("ev", event);
    for (int i = 0; i < fields.length; i += 2) {
      String name = (String) fields[i];
      if (fields[i + 1] instanceof Number) json.put(name, ((Number) fields[i + 1]).longValue());
      else json.put(name, String.valueOf(fields[i + 1]));
    }
    events.emit(json);
  }

  synchronized void deliver(String src, String dest, byte[] payload, String flags) {
    log("deliver", "order", ++delivered, "src", src, "dest", dest, "label", LabelledPayload.label(payload),
        "len", payload.length, "sha", sha(payload, 0, payload.length), "flags", flags);
  }

  /** For the program that steers: no part of the truth. */
  void done() {
    events.emit(Json.event("done"));
  }

  void error(String command, Throwable cause) {
    events.error(command, cause);
  }

  void flush() throws InterruptedException {
    events.flush();
  }

  /** The first 8 bytes of the SHA-1 in hex; nothing for no bytes. */
  static String sha(byte[] bytes, int offset, int length) {
    if (length == 0) return "";
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(bytes, offset, length);
      byte[] sum = digest.digest();
      StringBuilder hex = new StringBuilder();
      for (int i = 0; i < 8; i++) hex.append(String.format("%02x", sum[i]));
      return hex.toString();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
