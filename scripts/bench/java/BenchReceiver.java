import org.jgroups.Message;
import org.jgroups.ReceiverAdapter;
import org.jgroups.util.UUID;

/**
 * Checks and counts what arrives. Geode's stack has no thread pools: all of it runs on the thread that reads the
 * socket, one message after the other.
 */
final class BenchReceiver extends ReceiverAdapter {
  private final Events events;
  private PeerStack stack;
  private volatile boolean echoing;
  private volatile Expectation expected;
  private volatile Pinger pinger;

  BenchReceiver(Events events) {
    this.events = events;
  }

  void stack(PeerStack own) {
    stack = own;
  }

  void expect(long count, int size, int ring) {
    expected = new Expectation(count, size, ring);
  }

  /** Messages or answers of the measurement that is under way; who asks may see it late. */
  long received() {
    Pinger pings = pinger;
    if (pings != null) return pings.done;
    Expectation expectation = expected;
    return expectation == null ? 0 : expectation.received;
  }

  void echo(boolean on) {
    echoing = on;
  }

  void ping(int count, int size, Member to) throws Exception {
    pinger = new Pinger(count, size, to);
    pinger.next();
  }

  @Override
  public void receive(Message message) {
    try {
      Pinger pings = pinger;
      Expectation expectation = expected;
      if (echoing) echo(message);
      else if (pings != null) pings.handle(message);
      else if (expectation != null) expectation.handle(message);
      else fault("a message that nobody expects");
    } catch (Exception e) {
      fault(e.toString());
    }
  }

  private void fault(String message) {
    events.emit(Json.event("fault").put("message", message));
  }

  private void echo(Message message) throws Exception {
    for (Member member : stack.others()) {
      if (member.address.equals((UUID) message.getSrc())) stack.send(member, message.getBuffer(), Flags.NONE);
    }
  }

  /** The messages of one measurement. */
  private final class Expectation {
    private final long count;
    private final int size;
    private final int ring;
    private long received;
    private int nextStamp;
    private boolean failed;

    private Expectation(long count, int size, int ring) {
      this.count = count;
      this.size = size;
      this.ring = ring;
    }

    private void handle(Message message) {
      int stamp = StampedPayload.stamp(message.getRawBuffer(), message.getOffset(), message.getLength());
      received++;
      if (stamp != nextStamp || message.getLength() != size || received > count) fail(stamp, message.getLength());
      if (++nextStamp == ring) nextStamp = 0;
      if (received == count) events.emit(Json.event("received").put("count", count).put("lastNs", System.nanoTime()));
    }

    private void fail(int stamp, int length) {
      if (failed) return;
      failed = true;
      fault("message " + received + " of " + count + " has stamp " + stamp + " and " + length + " bytes, due were "
          + nextStamp + " and " + size);
    }
  }

  /** One message at a time, there and back; goes on from the receiver's thread. */
  private final class Pinger {
    private final long[] nanos;
    private final byte[][] payloads;
    private final Member to;
    private int done;
    private long sentAtNanos;

    private Pinger(int count, int size, Member to) {
      nanos = new long[count];
      payloads = StampedPayload.ring(size, 2);
      this.to = to;
    }

    private void next() throws Exception {
      sentAtNanos = System.nanoTime();
      stack.send(to, payloads[done & 1], Flags.NONE);
    }

    private void handle(Message message) throws Exception {
      nanos[done] = System.nanoTime() - sentAtNanos;
      int stamp = StampedPayload.stamp(message.getRawBuffer(), message.getOffset(), message.getLength());
      if (stamp != (done & 1)) fault("echo " + done + " has stamp " + stamp);
      if (++done < nanos.length) {
        next();
        return;
      }
      pinger = null;
      java.util.Arrays.sort(nanos);
      events.emit(Json.event("pinged").put("p50Ns", nanos[done / 2]).put("p99Ns", nanos[done / 100 * 99]));
    }
  }
}
