import org.apache.geode.distributed.internal.membership.api.MemberIdentifier;
import org.apache.geode.distributed.internal.membership.gms.messenger.Transport;
import org.jgroups.Address;
import org.jgroups.stack.IpAddress;

/** Geode's transport behind a network that loses what {@link Loss} says. */
public class LossyTransport extends Transport<MemberIdentifier> {
  @Override
  public void receive(Address sender, byte[] data, int offset, int length) {
    if (sender.equals(local_physical_addr)) return;
    if (!Loss.rules().takes(((IpAddress) sender).getPort(), data, offset, length)) {
      super.receive(sender, data, offset, length);
    }
  }
}
