import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jgroups.util.UUID;

/** Sends numbered messages: steady traffic, bursts, and echoes. */
final class Sender {
  private static final long TICK_NANOS = 5_000_000;
  /** Messages waiting to be sent back; past it they are dropped and counted. */
  private static final int MAX_ECHOES = 10_000;

  /** Numbers are given out and sent under one lock, so that their order is the order of sending. */
  private static final class Numbering {
    private long last;
    /** Those that the stack took; a blocked one is not yet among them. */
    private final AtomicLong sent = new AtomicLong();
  }

  private static final class Echo {
    private final UUID to;
    private final byte[] payload;

    Echo(UUID to, byte[] payload) {
      this.to = to;
      this.payload = payload;
    }
  }

  private final PeerStack stack;
  private final Events events;
  private final Map<String, Numbering> numberings = new ConcurrentHashMap<>();
  private final AtomicInteger bursts = new AtomicInteger();
  private final AtomicLong echoesDropped = new AtomicLong();
  private final ArrayBlockingQueue<Echo> echoes = new ArrayBlockingQueue<>(MAX_ECHOES);
  private Traffic traffic;
  private Thread echoThread;
  private volatile boolean closed;

  Sender(PeerStack stack, Events events) {
    this.stack = stack;
    this.events = events;
  }

  /** @param recipient null for the group */
  private void send(Member recipient, int size, Flags flags, long stream) throws Exception {
    String key = nameOf(recipient) + (stream == 0 ? "" : "/" + stream);
    Numbering numbering = numberings.computeIfAbsent(key, name -> new Numbering());
    Member self = stack.self();
    synchronized (numbering) {
      long number = ++numbering.last;
      byte[] payload =
          NumberedPayload.encode(
              self.uuidHigh, self.uuidLow, NumberedPayload.inStream(stream, number), size);
      if (recipient == null) stack.sendToAll(payload, flags);
      else stack.send(recipient, payload, flags);
      numbering.sent.set(number);
    }
  }

  private static String nameOf(Member recipient) {
    return recipient == null ? "group" : recipient.uuid;
  }

  /** Steady traffic to all others in turn; changes the pace if it runs. */
  synchronized void startTraffic(double messagesPerSecond, int size) {
    checkSize(size);
    if (!(messagesPerSecond > 0 && messagesPerSecond <= 1e6)) {
      throw new IllegalArgumentException("a rate is above 0 and at most 1000000, not " + messagesPerSecond);
    }
    if (traffic == null) {
      traffic = new Traffic();
      traffic.setPace(messagesPerSecond, size);
      traffic.start();
    } else {
      traffic.setPace(messagesPerSecond, size);
    }
  }

  /** The event tells when the last message was sent. */
  synchronized void stopTraffic() {
    if (traffic == null) {
      events.emit(Json.event("traffic-off"));
    } else {
      traffic.on = false;
      traffic = null;
    }
  }

  /**
   * As fast as the stack takes them, on a thread of its own.
   *
   * @param recipient null for the group
   * @param stream of numbers, from 0
   */
  void burst(Member recipient, long count, int size, Flags flags, long stream) {
    checkSize(size);
    if (stream < 0 || stream > NumberedPayload.MOST_STREAM) {
      throw new IllegalArgumentException("a stream is 0 to " + NumberedPayload.MOST_STREAM + ", not " + stream);
    }
    if (count < 1) throw new IllegalArgumentException("a burst has at least one message, not " + count);
    bursts.incrementAndGet();
    run(recipient == null ? "group" : "burst", () -> {
      try {
        for (long i = 0; i < count; i++) send(recipient, size, flags, stream);
      } finally {
        bursts.decrementAndGet();
      }
      events.emit(
          Json.event("burst-done").put("to", nameOf(recipient)).put("count", count).put("stream", stream));
    });
  }

  /** One message as it is. */
  void sendRaw(Member recipient, byte[] payload, Flags flags) {
    run("raw", () -> stack.send(recipient, payload, flags));
  }

  /** Waits for all bursts and until everything sent is acknowledged. */
  void drain(long timeoutMs) {
    run("drain", () -> {
      long deadline = System.nanoTime() + timeoutMs * 1_000_000;
      boolean drained;
      while (!(drained = bursts.get() == 0 && stack.unacked() == 0) && System.nanoTime() < deadline) {
        LockSupport.parkNanos(TICK_NANOS);
      }
      events.emit(Json.event("drained").put("ok", drained));
    });
  }

  /** For the receiver thread: never waits. */
  void echo(UUID to, byte[] payload) {
    if (!echoes.offer(new Echo(to, payload))) echoesDropped.incrementAndGet();
  }

  synchronized void startEchoing() {
    if (echoThread != null) return;
    echoThread = run("echo", () -> {
      for (; ; ) {
        Echo echo = echoes.take();
        for (Member member : stack.others()) {
          if (member.address.equals(echo.to)) stack.send(member, echo.payload, Flags.NONE);
        }
      }
    });
  }

  /** As Geode's member does: an unreliable message back to who sent `ping`. */
  void startPonging(Deliveries deliveries) {
    ArrayBlockingQueue<UUID> pings = new ArrayBlockingQueue<>(MAX_ECHOES);
    byte[] pong = "pong".getBytes(StandardCharsets.US_ASCII);
    deliveries.onPing(pings::offer);
    run("pong", () -> {
      for (; ; ) {
        UUID from = pings.take();
        for (Member member : stack.others()) {
          if (member.address.equals(from)) stack.send(member, pong, Flags.parse("OFR"));
        }
      }
    });
  }

  long echoesDropped() {
    return echoesDropped.get();
  }

  String sentJson() {
    Json json = new Json();
    numberings.forEach((uuid, numbering) -> json.put(uuid, numbering.sent.get()));
    return json.toString();
  }

  private static void checkSize(int size) {
    if (size < NumberedPayload.LEAST_SIZE || size > NumberedPayload.MOST_SIZE) {
      throw new IllegalArgumentException(
          "a size is " + NumberedPayload.LEAST_SIZE + " to " + NumberedPayload.MOST_SIZE + ", not " + size);
    }
  }

  /** The channel is about to be closed: what is still being sent may fail. */
  synchronized void close() {
    closed = true;
    if (traffic != null) traffic.on = false;
  }

  private void fail(String command, Exception cause) {
    if (!closed) events.error(command, cause);
  }

  private interface Work {
    void run() throws Exception;
  }

  private Thread run(String name, Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (Exception e) {
        fail(name, e);
      }
    }, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private final class Traffic extends Thread {
    private volatile double rate;
    private volatile int size;
    private volatile boolean on = true;

    Traffic() {
      super("traffic");
      setDaemon(true);
    }

    private void setPace(double messagesPerSecond, int bytes) {
      size = bytes;
      rate = messagesPerSecond;
    }

    @Override
    public void run() {
      long last = System.nanoTime();
      double due = 0;
      int turn = 0;
      try {
        while (on) {
          LockSupport.parkNanos(TICK_NANOS);
          long now = System.nanoTime();
          // Where flow control blocked for longer, the rest is not made up for.
          due = Math.min(due + rate * (now - last) / 1e9, Math.max(rate, 1));
          last = now;
          List<Member> others = stack.others();
          if (others.isEmpty()) due = 0;
          for (; due >= 1 && on; due--) send(others.get(turn++ % others.size()), size, Flags.NONE, 0);
          turn %= Math.max(1, others.size());
        }
      } catch (Exception e) {
        fail("traffic", e);
      }
      finish();
    }

    /** The event answers `traffic off`; traffic that ended by a failure is answered for when that comes. */
    private void finish() {
      synchronized (Sender.this) {
        if (on) traffic = null;
        else events.emit(Json.event("traffic-off"));
      }
    }
  }
}
