import java.io.InputStream;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jgroups.Address;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.ReceiverAdapter;
import org.jgroups.Version;
import org.jgroups.View;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.UUID;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * A JGroups process with one of the stacks that JGroups ships, in a cluster that finds its members itself.
 *
 * <p>Arguments: idx, conf (udp.xml or tcp.xml), cut (ports that nothing is heard of from the start), and
 * attributes of the stack file such as FD_SOCK.start_port=21020.
 */
public final class ClusterPeer extends RecordingPeer {
  private static final String CLUSTER = "rollgate";

  private final JChannel channel;

  private ClusterPeer(Map<String, String> arguments) throws Exception {
    super(Integer.parseInt(arguments.get("idx")));
    int index = Integer.parseInt(arguments.get("idx"));
    if (arguments.containsKey("cut")) cut(arguments.get("cut"));
    channel = new JChannel(stack(arguments));
    channel.setReceiver(new Receiver());
    channel.setName(Naming.peer(index));
    Dialect.useAddress(channel, new UUID(Naming.high(index), Naming.low(index)));
    channel.connect(CLUSTER);
    Address self = channel.getAddress();
    IpAddress bound = Dialect.physicalAddress(channel);
    truth.log("up", "addr", named(self), "phys", bound, "uuid_msb", Long.toHexString(Naming.high(index)),
        "uuid_lsb", Long.toHexString(Naming.low(index)),
        "port", bound.getPort(), "version", Version.print(Version.version));
  }

  public static void main(String[] arguments) throws Exception {
    Naming.useLetters();
    try {
      new ClusterPeer(parse(arguments)).run();
    } catch (Exception | LinkageError e) {
      fail(e);
    }
  }

  /** The stack file with our attributes, our lossy UDP in the place of UDP, and the log above the transport. */
  private static Element stack(Map<String, String> arguments) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    Document document;
    try (InputStream in = JChannel.class.getResourceAsStream("/" + arguments.get("conf"))) {
      document = factory.newDocumentBuilder().parse(in);
    }
    arguments.forEach((key, value) -> {
      int dot = key.lastIndexOf('.');
      if (dot > 0) find(document, key.substring(0, dot)).setAttribute(key.substring(dot + 1), value);
    });
    if (document.getElementsByTagName("UDP").getLength() > 0) {
      document.renameNode(find(document, "UDP"), null, "LossyUdp");
    }
    Element root = document.getDocumentElement();
    NodeList elements = root.getElementsByTagName("*");
    root.insertBefore(document.createElement(Dialect.WIRE_LOG), elements.item(1));
    return root;
  }

  private static Element find(Document document, String protocol) {
    NodeList elements = document.getElementsByTagName(protocol);
    if (elements.getLength() != 1) throw new IllegalArgumentException("the stack file has no " + protocol);
    return (Element) elements.item(0);
  }

  private static String named(Address address) {
    return Naming.of(address) + "/" + ((UUID) address).toStringLong();
  }

  @Override
  boolean executeOwn(String[] words) {
    if (!words[0].equals("leave")) return false;
    truth.log("leave");
    channel.disconnect();
    truth.log("left");
    return true;
  }

  @Override
  String flagNames(String flags) {
    Message message = new Message(null, null, new byte[0]);
    Dialect.setFlags(message, flags);
    return Message.flagsToString(message.getFlags());
  }

  @Override
  void send(int index, byte[] payload, String flags) throws Exception {
    Message message = new Message(index < 0 ? null : member(index), null, payload);
    Dialect.setFlags(message, flags);
    channel.send(message);
  }

  private Address member(int index) {
    for (Address member : channel.getView().getMembers()) {
      if (Naming.of(member).equals(Naming.peer(index))) return member;
    }
    throw new IllegalArgumentException("no member " + Naming.peer(index) + " in the view");
  }

  @Override
  void close() {
    channel.close();
  }

  private final class Receiver extends ReceiverAdapter {
    @Override
    public void receive(Message message) {
      delivered(Naming.of(message.getSrc()), Naming.of(message.getDest()), message.getBuffer(),
          Message.flagsToString(message.getFlags()));
    }

    @Override
    public void viewAccepted(View view) {
      StringBuilder members = new StringBuilder();
      for (Address member : view.getMembers()) members.append(members.length() == 0 ? "" : " ").append(named(member));
      truth.log("view", "view", view, "cls", view.getClass().getSimpleName(), "members", members);
    }

    @Override
    public void suspect(Address member) {
      truth.log("suspect", "mbr", Naming.of(member));
    }
  }
}
