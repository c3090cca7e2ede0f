import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.geode.distributed.internal.membership.gms.messenger.AddressManager;
import org.apache.geode.distributed.internal.membership.gms.messenger.Transport;
import org.jgroups.Message;
import org.jgroups.ReceiverAdapter;
import org.jgroups.Version;

/**
 * A JGroups process with Geode's stack; its views come from outside.
 *
 * <p>Arguments: idx, base (its port is base + idx), mcast (unicast or ip: with NAKACK2, by unicasts or by IP
 * multicast), gossip (STABLE's mean interval in ms), and any placeholder of Geode's stack file in capitals.
 */
public final class GeodePeer extends RecordingPeer {
  private static final InetAddress HOST = InetAddress.getLoopbackAddress();

  private final int base;
  private final PeerStack stack;
  /** As the last view had them that they were in: one that has left can still be sent to. */
  private final Map<Integer, Member> known = new HashMap<>();

  private GeodePeer(Map<String, String> arguments) throws Exception {
    super(Integer.parseInt(arguments.get("idx")));
    int index = Integer.parseInt(arguments.get("idx"));
    base = Integer.parseInt(arguments.get("base"));
    Member self = member(index, 0);
    boolean nakack = arguments.containsKey("mcast");
    stack = new PeerStack(HOST, self.port, self.viewId, self.uuid,
        nakack ? "jgroups-mcast.xml" : PeerStack.DEFAULT_CONFIG, replacements(arguments), new ReceiverAdapter() {
          @Override
          public void receive(Message message) {
            delivered(Naming.of(message.getSrc()), Naming.of(message.getDest()), message.getBuffer(),
                Message.flagsToString(message.getFlags()));
          }
        });
    truth.log("up", "addr", HOST.getHostAddress() + ":" + self.port, "uuid_msb", Long.toHexString(self.uuidHigh),
        "uuid_lsb", Long.toHexString(self.uuidLow), "port", stack.self().port,
        "version", Version.print(Version.version), "version_short", Version.version);
  }

  public static void main(String[] arguments) {
    try {
      new GeodePeer(parse(arguments)).run();
    } catch (Exception | LinkageError e) {
      fail(e);
    }
  }

  /** What is put into Geode's stack file for what. */
  private static Map<String, String> replacements(Map<String, String> arguments) {
    Map<String, String> map = new HashMap<>(arguments);
    map.keySet().removeIf(key -> !key.equals(key.toUpperCase()));
    map.put(Transport.class.getName(), LossyTransport.class.getName());
    String above = "<" + AddressManager.class.getName() + "/>";
    map.put(above, "<" + Dialect.WIRE_LOG + "/>" + above);
    if ("unicast".equals(arguments.get("mcast"))) map.put("ip_mcast=\"true\"", "ip_mcast=\"false\"");
    if (arguments.containsKey("gossip")) {
      map.put("desired_avg_gossip=\"2000\"", "desired_avg_gossip=\"" + arguments.get("gossip") + "\"");
    }
    return map;
  }

  private Member member(int index, int viewId) {
    String uuid = String.format("%016x%016x", Naming.high(index), Naming.low(index));
    return new Member(HOST, base + index, viewId, uuid);
  }

  private Member recipient(int index) {
    Member member = known.get(index);
    if (member == null) throw new IllegalArgumentException("no view had a member " + Naming.peer(index));
    return member;
  }

  @Override
  boolean executeOwn(String[] words) {
    if (!words[0].equals("view")) return false;
    // view <id> <index>:<viewId>,...
    List<Member> members = new ArrayList<>();
    for (String member : words[2].split(",")) {
      String[] parts = member.split(":");
      int index = Integer.parseInt(parts[0]);
      known.put(index, member(index, Integer.parseInt(parts[1])));
      members.add(known.get(index));
    }
    truth.log("view", "id", Long.parseLong(words[1]), "members", words[2]);
    stack.installView(Long.parseLong(words[1]), members);
    return true;
  }

  @Override
  String flagNames(String flags) {
    Message message = new Message();
    for (Message.Flag flag : Flags.parse(flags).flags) message.setFlag(flag);
    return Message.flagsToString(message.getFlags());
  }

  @Override
  void send(int index, byte[] payload, String flags) throws Exception {
    if (index < 0) stack.sendToAll(payload, Flags.parse(flags));
    else stack.send(recipient(index), payload, Flags.parse(flags));
  }

  @Override
  void close() {
    stack.close();
  }
}
