import java.util.ArrayList;
import java.util.List;
import org.jgroups.Message.Flag;

/** The flags of a burst, one letter each, - for none; DONT_BUNDLE, as Geode sets it, unless B is there. */
final class Flags {
  static final Flags NONE = parse("");

  final List<Flag> flags;

  private Flags(List<Flag> flags) {
    this.flags = flags;
  }

  static Flags parse(String letters) {
    List<Flag> flags = new ArrayList<>();
    if (letters.indexOf('B') < 0) flags.add(Flag.DONT_BUNDLE);
    for (char letter : letters.toCharArray()) {
      switch (letter) {
        case 'B':
        case '-':
          break;
        case 'O':
          flags.add(Flag.OOB);
          break;
        case 'K':
          flags.add(Flag.SKIP_BARRIER);
          break;
        case 'F':
          flags.add(Flag.NO_FC);
          break;
        case 'R':
          flags.add(Flag.NO_RELIABILITY);
          break;
        case 'C':
          flags.add(Flag.RSVP);
          break;
        default:
          throw new IllegalArgumentException("no flag '" + letter + "': they are O, K, F, R, B and C");
      }
    }
    return new Flags(flags);
  }
}
