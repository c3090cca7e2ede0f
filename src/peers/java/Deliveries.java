import java.security.MessageDigest;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jgroups.Message;
import org.jgroups.ReceiverAdapter;
import org.jgroups.util.UUID;

/**
 * Counts what the stack delivers. Geode's stack has no thread pools: this runs on the thread that reads the
 * socket, so it must be quick and never wait.
 */
final class Deliveries extends ReceiverAdapter {
  /** Senders that a record is kept of. */
  private static final int MAX_SENDERS = 1_000;

  private final Events events;
  private final Map<UUID, DeliveryRecord> records = new ConcurrentHashMap<>();
  private final AtomicLong raw = new AtomicLong();
  private final AtomicLong returned = new AtomicLong();
  private volatile boolean printed;
  private volatile Sender echo;
  private volatile Member self;

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
    records.forEach((sender, record) -> json.putRaw(Member.uuidOf(sender), record.toJson()));
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
      if (printed) events.offer(delivery(message).put("sha256", sha256(bytes, offset, length)));
      return;
    }
    long number = NumberedPayload.number(bytes, offset, length);
    Member me = self;
    if (me != null && number > 0 && NumberedPayload.isFrom(bytes, offset, me.uuidHigh, me.uuidLow)) {
      returned.incrementAndGet();
    } else {
      count(from, bytes, offset, length, number);
      Sender back = echo;
      if (back != null) back.echo(from, message.getBuffer());
    }
    if (printed) events.offer(delivery(message).put("number", number));
  }

  private void count(UUID from, byte[] bytes, int offset, int length, long number) {
    DeliveryRecord record = records.get(from);
    if (record == null) {
      if (records.size() >= MAX_SENDERS) return;
      record = records.computeIfAbsent(from, sender -> new DeliveryRecord());
    }
    boolean sound =
        number > 0
            && NumberedPayload.isFrom(
                bytes, offset, from.getMostSignificantBits(), from.getLeastSignificantBits());
    if (sound) record.handle(number, length);
    else record.handleCorrupt(length);
  }

  private static Json delivery(Message message) {
    return Json.event("deliver")
        .put("from", Member.uuidOf((UUID) message.getSrc()))
        .put("len", message.getLength())
        .put("flags", message.getFlags());
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
