import org.jgroups.Address;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.stack.IpAddress;

/** What JGroups 2.12 says otherwise than 3.6. */
final class Dialect {
  static final String WIRE_LOG = "WireLog";

  private Dialect() {}

  static void useAddress(JChannel channel, Address address) {
    channel.setAddressGenerator(() -> address);
  }

  static IpAddress physicalAddress(JChannel channel) {
    return (IpAddress) channel.downcall(new Event(Event.GET_PHYSICAL_ADDRESS, channel.getAddress()));
  }

  /** D is DONT_BUNDLE, the other letters are those of Flags; B, to bundle, is the default. */
  static void setFlags(Message message, String letters) {
    for (char letter : letters.toCharArray()) {
      switch (letter) {
        case 'B':
          break;
        case 'D':
          message.setFlag(Message.DONT_BUNDLE);
          break;
        case 'O':
          message.setFlag(Message.OOB);
          break;
        case 'F':
          message.setFlag(Message.NO_FC);
          break;
        case 'R':
          message.setFlag(Message.NO_RELIABILITY);
          break;
        default:
          throw new IllegalArgumentException("no flag '" + letter + "' in JGroups 2.12");
      }
    }
  }
}
