import java.nio.ByteBuffer;

/**
 * The messages of a benchmark, made beforehand, so that the stack is measured and not their making. Message k carries
 * stamp k mod ring at its beginning and its end: with the count that finds what is lost, doubled or out of order. The
 * layout is that of scripts/bench/harness/stamped-payload.ts.
 */
final class StampedPayload {
  private static final int STAMP_BYTES = 4;

  private StampedPayload() {}

  static byte[][] ring(int size, int ring) {
    byte[][] payloads = new byte[ring][];
    for (int stamp = 0; stamp < ring; stamp++) {
      payloads[stamp] = new byte[size];
      ByteBuffer.wrap(payloads[stamp]).putInt(0, stamp).putInt(size - STAMP_BYTES, stamp);
    }
    return payloads;
  }

  /** -1: damaged. */
  static int stamp(byte[] bytes, int offset, int length) {
    if (length < 2 * STAMP_BYTES) return -1;
    int stamp = readInt(bytes, offset);
    return stamp == readInt(bytes, offset + length - STAMP_BYTES) ? stamp : -1;
  }

  private static int readInt(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | bytes[at + 3] & 0xff;
  }
}
