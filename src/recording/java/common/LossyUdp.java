import org.jgroups.Address;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.UDP;
import org.jgroups.stack.IpAddress;

/** JGroups' UDP transport behind a network that loses what {@link Loss} says. */
public class LossyUdp extends UDP {
  public LossyUdp() {
    // 2.12 writes the id of the transport's own class on the wire; a class of ours has none.
    id = ClassConfigurator.getProtocolId(UDP.class);
  }

  @Override
  public void receive(Address sender, byte[] data, int offset, int length) {
    if (!Loss.rules().takes(((IpAddress) sender).getPort(), data, offset, length)) {
      super.receive(sender, data, offset, length);
    }
  }
}
