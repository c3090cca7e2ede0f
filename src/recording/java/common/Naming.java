import org.jgroups.Address;
import org.jgroups.util.UUID;

/** Peers have uuids that tell their index, so that a scenario has the same members whenever it is recorded. */
final class Naming {
  private static final long HIGH = 0x1000000000000000L;
  private static final long HIGH_STEP = 0x0101010101010101L;
  private static final long LOW = 0x2000000000000000L;
  private static final long LOW_STEP = 0x0202020202020202L;

  /** 'p' for p0, p1, ...; 'A' for A, B, ... */
  private static char first = 'p';

  private Naming() {}

  static void useLetters() {
    first = 'A';
  }

  static long high(int index) {
    return HIGH + index * HIGH_STEP;
  }

  static long low(int index) {
    return LOW + index * LOW_STEP;
  }

  static String peer(int index) {
    return first == 'p' ? "p" + index : String.valueOf((char) (first + index));
  }

  /** ALL for none, which as a destination is the group. */
  static String of(Address address) {
    if (address == null) return "ALL";
    if (!(address instanceof UUID)) return address.toString();
    UUID uuid = (UUID) address;
    long index = (uuid.getMostSignificantBits() >>> 56) - (HIGH >>> 56);
    return index >= 0 && index < 16 && uuid.getMostSignificantBits() == high((int) index)
        ? peer((int) index)
        : uuid.toString();
  }
}
