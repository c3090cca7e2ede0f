import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jgroups.Message;
import org.jgroups.ReceiverAdapter;
import org.jgroups.util.UUID;

/**
 * Counts what the stack delivers. Geode's stack has no thread pools: this runs on the thread that reads the
 * socket, so it must be quick and never wait.
 */
final class Deliveries extends ReceiverAdapter {
  /** Streams of senders that a record is kept of. */
  private static final int MAX_RECORDS = 10_000;

  /** Bytes of a message in another format that are printed. */
  private static final int MOST_TEXT = 16;

  private final Events events;
  /** By sender, and stream where that is not 0. */
  private final Map<String, DeliveryRecord> records = new ConcurrentHashMap<>();
  private final AtomicLong raw = new AtomicLong();
  private final AtomicLong returned = new AtomicLong();
  private volatile boolean printed;
  private volatile Sender echo;
  private volatile Member self;
  private volatile Consumer<UUID> onPing = from -> {};

  Deliveries(Events events) {
    this.events = events;
  }

  void print(boolean on) {
    printed = on;
  }

  /** @param sender who sends every message back; null for nobody */
  void echo(Sender sender) {
    echo = sender;
  }

  void self(Member member) {
    self = member;
  }

  /** Who answers Geode's quorum pings (WIRE-3.6 section 13), on a thread of its own. */
  void onPing(Consumer<UUID> handler) {
    onPing = handler;
  }

  /** Messages in nobody's payload format. */
  long raw() {
    return raw.get();
  }

  /** Own messages that a peer with echo on sent back. */
  long returned() {
    return returned.get();
  }

  String toJson() {
    Json json = new Json();
    records.forEach((sender, record) -> json.putRaw(sender, record.toJson()));
    return json.toString();
  }

  @Override
  public void receive(Message message) {
    byte[] bytes = message.getRawBuffer();
    int offset = message.getOffset();
    int length = message.getLength();
    UUID from = (UUID) message.getSrc();
    if (bytes == null || !NumberedPayload.hasMagic(bytes, offset, length)) {
      raw.incrementAndGet();
      if (text(bytes, offset, length).equals("ping")) onPing.accept(from);
      if (printed) {
        events.offer(
            delivery(message).put("sha256", sha256(bytes, offset, length)).put("text", text(bytes, offset, length)));
      }
      return;
    }
    long number = NumberedPayload.number(bytes, offset, length);
    Member me = self;
    if (me != null && number > 0 && NumberedPayload.isFrom(bytes, offset, me.uuidHigh, me.uuidLow)) {
      returned.incrementAndGet();
    } else {
      if (!NumberedPayload.isFrom(bytes, offset, from.getMostSignificantBits(), from.getLeastSignificantBits())) {
        number = -1;
      }
      count(from, number, length);
      Sender back = echo;
      if (back != null) back.echo(from, message.getBuffer());
    }
    if (printed) events.offer(delivery(message).put("number", number));
  }

  /** @param number -1 for a message that is not what its sender sent */
  private void count(UUID from, long number, int length) {
    long stream = number < 0 ? 0 : NumberedPayload.streamOf(number);
    String key = Member.uuidOf(from) + (stream == 0 ? "" : "/" + stream);
    DeliveryRecord record = records.get(key);
    if (record == null) {
      if (records.size() >= MAX_RECORDS) return;
      record = records.computeIfAbsent(key, sender -> new DeliveryRecord());
    }
    if (number < 0) record.handleCorrupt(length);
    else record.handle(NumberedPayload.withoutStream(number), length);
  }

  private static Json delivery(Message message) {
    return Json.event("deliver")
        .put("from", Member.uuidOf((UUID) message.getSrc()))
        .put("len", message.getLength())
        .put("flags", message.getFlags())
        .put("group", message.getDest() == null);
  }

  private static String text(byte[] bytes, int offset, int length) {
    if (bytes == null) return "";
    return new String(bytes, offset, Math.min(length, MOST_TEXT), StandardCharsets.ISO_8859_1);
  }

  private static String sha256(byte[] bytes, int offset, int length) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      if (bytes != null) digest.update(bytes, offset, length);
      StringBuilder hex = new StringBuilder();
      for (byte b : digest.digest()) hex.append(String.format("%02x", b));
      return hex.toString();
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
