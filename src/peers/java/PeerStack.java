import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.geode.distributed.internal.membership.gms.messenger.JGAddress;
import org.apache.geode.distributed.internal.membership.gms.messenger.Transport;
import org.jgroups.Address;
import org.jgroups.Event;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.protocols.FlowControl;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.stack.IpAddress;
import org.jgroups.stack.Protocol;
import org.jgroups.util.Digest;
import org.jgroups.util.Table;
import org.jgroups.util.UUID;

/** A JGroups channel with Geode's stack and without Geode: the views are given from outside. */
final class PeerStack {
  /** Which of Geode's two stack files; the other one is jgroups-mcast.xml. */
  static final String DEFAULT_CONFIG = "jgroups-config.xml";

  private static final String CLUSTER = "AG";
  /** Longer than any join takes. */
  private static final long SUSPEND_STABLE_MS = 20_000;

  private final JChannel channel;
  private final UNICAST3 unicast;
  /** Null in Geode's stack without multicast. */
  private final NAKACK2 nakack;
  private final Field sendTable;
  private final Field window;
  private volatile boolean stableSuspended;
  private volatile Member self;
  private volatile List<Member> others = new ArrayList<>();

  /**
   * @param placeholders what stands in the stack file for what is to be put there: over Geode's defaults
   */
  PeerStack(
      InetAddress host,
      int port,
      int viewId,
      String uuid,
      String config,
      Map<String, String> placeholders,
      Receiver receiver)
      throws Exception {
    ClassConfigurator.add((short) 2000, JGAddress.class);
    ClassConfigurator.addProtocol((short) 1000, Transport.class);
    Map<String, String> all = defaults();
    all.put("BIND_ADDR_SETTING", "bind_addr=\"" + host.getHostAddress() + "\"");
    all.put("MEMBERSHIP_PORT_RANGE_START", String.valueOf(port));
    all.putAll(placeholders);
    Member wanted = new Member(host, port, viewId, uuid);
    channel = new JChannel(new ByteArrayInputStream(stackXml(config, all).getBytes(StandardCharsets.UTF_8)));
    channel.setReceiver(receiver);
    channel.addAddressGenerator(() -> new UUID(wanted.uuidHigh, wanted.uuidLow));
    channel.connect(CLUSTER);
    IpAddress bound = (IpAddress) channel.down(new Event(Event.GET_PHYSICAL_ADDRESS, channel.getAddress()));
    adopt(new Member(host, bound.getPort(), viewId, uuid));

    unicast = (UNICAST3) channel.getProtocolStack().findProtocol(UNICAST3.class);
    nakack = (NAKACK2) channel.getProtocolStack().findProtocol(NAKACK2.class);
    sendTable = UNICAST3.class.getDeclaredField("send_table");
    sendTable.setAccessible(true);
    window = Class.forName(UNICAST3.class.getName() + "$Entry").getDeclaredField("msgs");
    window.setAccessible(true);
  }

  /** Geode 1.15's defaults (PEERS section 2). */
  private static Map<String, String> defaults() {
    // Longest first, for some names begin with another's.
    Map<String, String> map =
        new TreeMap<>(Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()));
    map.put("MEMBERSHIP_PORT_RANGE", "0");
    map.put("UDP_RECV_BUFFER_SIZE", "65535");
    map.put("UDP_SEND_BUFFER_SIZE", "65535");
    map.put("UDP_FRAGMENT_SIZE", "60000");
    map.put("FC_MAX_CREDITS", "1048576");
    map.put("FC_THRESHOLD", "0.25");
    map.put("FC_MAX_BLOCK", "5000");
    map.put("MCAST_PORT", "10334");
    map.put("MCAST_ADDRESS", "239.192.81.1");
    map.put("MCAST_TTL", "0");
    map.put("MCAST_SEND_BUFFER_SIZE", "65535");
    map.put("MCAST_RECV_BUFFER_SIZE", "1048576");
    map.put("MCAST_RETRANSMIT_INTERVAL", "500");
    map.put("RETRANSMIT_LIMIT", "59744");
    return map;
  }

  private static String stackXml(String config, Map<String, String> placeholders) throws IOException {
    try (InputStream in = Transport.class.getResourceAsStream(config)) {
      if (in == null) throw new IOException("geode-membership has no stack file " + config);
      String xml = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      int commentEnd = xml.indexOf("-->");
      if (commentEnd >= 0) xml = xml.substring(commentEnd + 3);
      for (Map.Entry<String, String> entry : placeholders.entrySet()) {
        xml = xml.replace(entry.getKey(), entry.getValue());
      }
      return xml;
    }
  }

  /** Without GMS nothing tells the protocols who they are, nor that their address has a view id now. */
  private void adopt(Member member) {
    self = member;
    channel.down(new Event(Event.SET_LOCAL_ADDRESS, member.address));
  }

  Member self() {
    return self;
  }

  /** All members of the view but this one, oldest first. */
  List<Member> others() {
    return others;
  }

  void installView(long id, List<Member> members) {
    List<Address> addresses = new ArrayList<>();
    List<Member> rest = new ArrayList<>();
    Member own = null;
    for (Member member : members) {
      addresses.add(member.address);
      if (member.uuid.equals(self.uuid)) own = member;
      else rest.add(member);
    }
    if (own == null) throw new IllegalArgumentException("view " + id + " is without this member");
    if (own.viewId != self.viewId) adopt(own);
    channel.down(new Event(Event.VIEW_CHANGE, new View(addresses.get(0), id, addresses)));
    if (stableSuspended) channel.down(new Event(Event.RESUME_STABLE));
    stableSuspended = false;
    others = rest;
  }

  /** Blocks while flow control has no credits for the recipient. */
  void send(Member recipient, byte[] payload, Flags flags) throws Exception {
    send(recipient.address, payload, flags);
  }

  /** A group message, which a stack without NAKACK2 sends unreliably. */
  void sendToAll(byte[] payload, Flags flags) throws Exception {
    send((Address) null, payload, flags);
  }

  private void send(Address recipient, byte[] payload, Flags flags) throws Exception {
    Message message = new Message(recipient, self.address, payload);
    for (Message.Flag flag : flags.flags) message.setFlag(flag);
    // Geode sets it on every message; it costs the sender credits of its own (WIRE-3.6 section 9).
    message.setTransientFlag(Message.TransientFlag.DONT_LOOPBACK);
    channel.send(message);
  }

  /** Messages in UNICAST3's send windows towards the other members of the view. */
  long unacked() throws IllegalAccessException {
    Map<?, ?> entries = new HashMap<>((Map<?, ?>) sendTable.get(unicast));
    long sum = 0;
    for (Member member : others) {
      Object entry = entries.get(member.address);
      if (entry != null) sum += ((Table<?>) window.get(entry)).size();
    }
    return sum;
  }

  /** How often flow control had to ask for credits, for nobody gave it any in time. */
  int creditRequests() {
    int sum = 0;
    for (Protocol protocol : channel.getProtocolStack().getProtocols()) {
      if (protocol instanceof FlowControl) sum += ((FlowControl) protocol).getNumberOfCreditRequestsSent();
    }
    return sum;
  }

  /** Payload bytes of own group messages that NAKACK2 keeps for whoever lacks them. */
  long unstableBytes() {
    return nakack == null ? 0 : nakack.getSizeOfAllMessages();
  }

  /**
   * What a coordinator gives a joiner in Geode's JoinResponse; empty without NAKACK2. As GMS does in JGroups, but not
   * Geode: until the joiner is in the view nothing becomes stable, lest it asks for what nobody has any more.
   */
  byte[] digestForJoiner() throws Exception {
    if (nakack == null) return new byte[0];
    stableSuspended = true;
    channel.down(new Event(Event.SUSPEND_STABLE, SUSPEND_STABLE_MS));
    Digest digest = (Digest) channel.down(Event.GET_DIGEST_EVT);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    digest.writeTo(new DataOutputStream(out));
    return out.toByteArray();
  }

  /** As Geode's JGroupsMessenger does at a joiner. */
  void mergeDigest(byte[] bytes) throws Exception {
    Digest digest = new Digest();
    digest.readFrom(new DataInputStream(new ByteArrayInputStream(bytes)));
    channel.down(new Event(Event.MERGE_DIGEST, digest));
  }

  void close() {
    channel.close();
  }
}
