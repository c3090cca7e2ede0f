import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * A message that proves itself: who sent it, its number among those from that sender to that recipient, a checksum.
 * The layout is shared with src/rehearsal/numbered-payload.ts; all integers are big-endian.
 *
 * <pre>
 *  0 magic   4 uuid of the sender   20 number (from 1)   28 total length   32 CRC-32 of all but itself
 * 36 filler: byte k is (number + k) mod 256
 * </pre>
 *
 * <p>The number's upper bits may name a stream: each stream is counted by itself.
 */
final class NumberedPayload {
  static final int LEAST_SIZE = 36;
  /** What one message may take; far above anything a rehearsal sends, far below the heap of a peer. */
  static final int MOST_SIZE = 16 * 1024 * 1024;

  private static final int MAGIC = 0x52475031;
  private static final int NUMBER_AT = 20;
  private static final int LENGTH_AT = 28;
  private static final int CRC_AT = 32;
  /** Numbers must stay exact in JavaScript. */
  private static final long MOST_NUMBER = (1L << 53) - 1;

  /** Byte i is i mod 256; a multiple of 256 long, plus room for any start. */
  private static final byte[] PATTERN = new byte[65536 + 256];

  static {
    for (int i = 0; i < PATTERN.length; i++) PATTERN[i] = (byte) i;
  }

  /** Numbers from 1 below 2^40 within a stream, streams from 0 below 2^13: together they stay exact in JavaScript. */
  private static final int STREAM_SHIFT = 40;
  static final long MOST_STREAM = (1L << 13) - 1;

  private NumberedPayload() {}

  static long inStream(long stream, long number) {
    return stream << STREAM_SHIFT | number;
  }

  static long streamOf(long number) {
    return number >> STREAM_SHIFT;
  }

  static long withoutStream(long number) {
    return number & (1L << STREAM_SHIFT) - 1;
  }

  static byte[] encode(long uuidHigh, long uuidLow, long number, int size) {
    byte[] bytes = new byte[size];
    ByteBuffer.wrap(bytes).putInt(MAGIC).putLong(uuidHigh).putLong(uuidLow).putLong(number).putInt(size);
    int shift = (int) (number + LEAST_SIZE) & 0xff;
    for (int at = LEAST_SIZE; at < size; at += 65536) {
      System.arraycopy(PATTERN, shift, bytes, at, Math.min(65536, size - at));
    }
    ByteBuffer.wrap(bytes).putInt(CRC_AT, checksum(bytes, 0, size));
    return bytes;
  }

  /** Whether it claims to be one; if not, it is somebody else's message. */
  static boolean hasMagic(byte[] bytes, int offset, int length) {
    return length >= LEAST_SIZE && ByteBuffer.wrap(bytes).getInt(offset) == MAGIC;
  }

  /** Its number, or -1 if length or checksum do not fit. Ask {@link #hasMagic} first. */
  static long number(byte[] bytes, int offset, int length) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    long number = buffer.getLong(offset + NUMBER_AT);
    boolean sound =
        buffer.getInt(offset + LENGTH_AT) == length
            && number >= 1
            && number <= MOST_NUMBER
            && buffer.getInt(offset + CRC_AT) == checksum(bytes, offset, length);
    return sound ? number : -1;
  }

  static boolean isFrom(byte[] bytes, int offset, long uuidHigh, long uuidLow) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return buffer.getLong(offset + 4) == uuidHigh && buffer.getLong(offset + 12) == uuidLow;
  }

  private static int checksum(byte[] bytes, int offset, int length) {
    CRC32 crc = new CRC32();
    crc.update(bytes, offset, CRC_AT);
    crc.update(bytes, offset + LEAST_SIZE, length - LEAST_SIZE);
    return (int) crc.getValue();
  }
}
