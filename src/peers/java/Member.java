import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.geode.distributed.internal.membership.api.MemberIdentifier;
import org.apache.geode.distributed.internal.membership.gms.messenger.JGAddress;

/** A member as the commands name it, with its address on the wire. */
final class Member {
  final InetAddress host;
  final int port;
  final int viewId;
  final long uuidHigh;
  final long uuidLow;
  /** 32 hex digits, most significant half first. */
  final String uuid;
  final JGAddress address;

  Member(InetAddress host, int port, int viewId, String uuid) {
    if (!uuid.matches("[0-9a-f]{32}")) throw new IllegalArgumentException("uuid " + uuid + " is not 32 hex digits");
    this.host = host;
    this.port = port;
    this.viewId = viewId;
    this.uuid = uuid;
    uuidHigh = Long.parseUnsignedLong(uuid.substring(0, 16), 16);
    uuidLow = Long.parseUnsignedLong(uuid.substring(16), 16);
    address = new JGAddress(identifier());
  }

  /** @param text host:port:viewId:uuid */
  static Member parse(String text) throws UnknownHostException {
    int uuidAt = text.lastIndexOf(':');
    int viewIdAt = text.lastIndexOf(':', uuidAt - 1);
    int portAt = text.lastIndexOf(':', viewIdAt - 1);
    if (portAt < 1) throw new IllegalArgumentException("a member is host:port:viewId:uuid, not " + text);
    return new Member(
        InetAddress.getByName(text.substring(0, portAt)),
        Integer.parseInt(text.substring(portAt + 1, viewIdAt)),
        Integer.parseInt(text.substring(viewIdAt + 1, uuidAt)),
        text.substring(uuidAt + 1));
  }

  static String uuidOf(org.jgroups.util.UUID address) {
    return String.format(
        "%016x%016x", address.getMostSignificantBits(), address.getLeastSignificantBits());
  }

  /** JGAddress asks its MemberIdentifier for five values and nothing else (PEERS section 2). */
  private MemberIdentifier identifier() {
    return (MemberIdentifier)
        Proxy.newProxyInstance(
            Member.class.getClassLoader(),
            new Class<?>[] {MemberIdentifier.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "getInetAddress":
                  return host;
                case "getMembershipPort":
                  return port;
                case "getVmViewId":
                  return viewId;
                case "getUuidMostSignificantBits":
                  return uuidHigh;
                case "getUuidLeastSignificantBits":
                  return uuidLow;
                default:
                  throw new UnsupportedOperationException(method.getName());
              }
            });
  }
}
