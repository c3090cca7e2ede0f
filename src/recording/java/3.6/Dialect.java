import org.jgroups.Address;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.stack.IpAddress;

/** What JGroups 3.6 says otherwise than 2.12. */
final class Dialect {
  static final String WIRE_LOG = "BatchWireLog";

  private Dialect() {}

  static void useAddress(JChannel channel, Address address) {
    channel.addAddressGenerator(() -> address);
  }

  static IpAddress physicalAddress(JChannel channel) {
    return (IpAddress) channel.down(new Event(Event.GET_PHYSICAL_ADDRESS, channel.getAddress()));
  }

  /** The stock stacks bundle what is not urgent: D is DONT_BUNDLE, the other letters are those of Flags. */
  static void setFlags(Message message, String letters) {
    for (Message.Flag flag : Flags.parse(letters.replace("D", "") + "B").flags) message.setFlag(flag);
    if (letters.indexOf('D') >= 0) message.setFlag(Message.Flag.DONT_BUNDLE);
  }
}
