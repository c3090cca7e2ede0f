/** Payloads that can be made again from their label: the label, big-endian, then byte k is (label + k) mod 256. */
final class LabelledPayload {
  private static final int LABEL_BYTES = 4;

  private LabelledPayload() {}

  static byte[] of(int label, int size) {
    byte[] bytes = new byte[size];
    for (int k = 0; k < size; k++) {
      bytes[k] = (byte) (k < LABEL_BYTES ? label >>> 8 * (LABEL_BYTES - 1 - k) : label + k);
    }
    return bytes;
  }

  /** -1 for a payload that is too short for one. */
  static int label(byte[] payload) {
    if (payload.length < LABEL_BYTES) return -1;
    int label = 0;
    for (int k = 0; k < LABEL_BYTES; k++) label = label << 8 | payload[k] & 0xff;
    return label;
  }
}
