import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Vector;
import org.jgroups.Address;
import org.jgroups.Header;
import org.jgroups.MergeView;
import org.jgroups.Message;
import org.jgroups.PhysicalAddress;
import org.jgroups.View;
import org.jgroups.ViewId;
import org.jgroups.protocols.FragHeader;
import org.jgroups.protocols.PingData;
import org.jgroups.protocols.PingHeader;
import org.jgroups.protocols.TP;
import org.jgroups.protocols.TpHeader;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.JoinRsp;
import org.jgroups.protocols.pbcast.NakAckHeader;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.Digest;
import org.jgroups.util.MergeId;
import org.jgroups.util.UUID;
import org.jgroups.util.Util;

/**
 * Prints one datagram a line, `name TAB hex`, written by the classes of JGroups 2.12.2. With its jar (Debian's
 * libjgroups-java) on the class path: java HeaderVectors212.java > headers-2.12.2.txt
 */
public class HeaderVectors212 {
  static final UUID A = new UUID(0x0102030405060708L, 0xf1f2f3f4f5f6f7f8L);
  static final UUID B = new UUID(0x1111111111111111L, 0x2222222222222222L);
  static final UUID C = new UUID(-1L, -2L);
  static final ViewId VIEW_ID = new ViewId(A, 300);

  public static void main(String[] args) throws Exception {
    IpAddress ip4 = new IpAddress(InetAddress.getByAddress(new byte[] {10, 0, 0, 7}), 7800);
    byte[] host6 = {0x20, 1, 0x0d, (byte) 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    IpAddress ip6 = new IpAddress(Inet6Address.getByAddress(null, host6, 0), 65535);
    View view = new View(A, 300, Arrays.<Address>asList(A, B));
    Digest digest = new Digest(A, 1, 2, 70000);
    C.setAdditionalData(new byte[] {1, 2, 3});

    transport();
    reliability(digest);
    detection(ip4, ip6);
    discovery(view, ip4, ip6);
    membership(view, digest);
    lists();
  }

  static void transport() throws Exception {
    int[] ids = {21, 22, 23, 24};
    for (int id : ids) line("TP " + id, id, new TpHeader("cl\u00fcster"), null);
    Message oob = new Message(null, A, new byte[] {1, 2});
    oob.setFlag(Message.OOB);
    oob.setFlag(Message.NO_RELIABILITY);
    print("to the group, OOB", single(oob, true));
    print("to an address with additional data", single(new Message(C, A, new byte[0]), false));
    Method credits = Util.class.getMethod("objectToByteBuffer", Object.class);
    byte[] payload = (byte[]) credits.invoke(null, 15000L);
    line("UFC REPLENISH", 45, header("FcHeader", (byte) 1), payload);
    line("MFC CREDIT_REQUEST", 44, header("FcHeader", (byte) 2), payload);
  }

  static void reliability(Digest digest) throws Exception {
    String unicast = "UNICAST$UnicastHeader";
    line("UNICAST DATA", 12, header(unicast, (byte) 0, 70000L, (short) 7, true), new byte[] {5});
    line("UNICAST ACK", 12, header(unicast, (byte) 1, 1L << 40), null);
    line("UNICAST SEND_FIRST_SEQNO", 12, header(unicast, (byte) 2, 0L), null);
    line("NAKACK MSG", 15, NakAckHeader.createMessageHeader(3), null);
    line("NAKACK XMIT_REQ", 15, NakAckHeader.createXmitRequestHeader(5, 9, C), null);
    line("NAKACK XMIT_RSP", 15, NakAckHeader.createXmitResponseHeader(), null);
    line("STABLE 1", 16, header("pbcast.STABLE$StableHeader", 1, digest), null);
    line("STABLE 2", 16, header("pbcast.STABLE$StableHeader", 2, null), null);
    line("FRAG2", 5, new FragHeader(1L << 33, 1, 3), new byte[] {5});
  }

  static void detection(IpAddress ip4, IpAddress ip6) throws Exception {
    for (int type = 0; type <= 3; type++) {
      Header fd = type < 2
          ? header("FD$FdHeader", (byte) type)
          : header("FD$FdHeader", (byte) type, Arrays.asList(B, C), A);
      line("FD " + type, 2, fd, null);
    }
    line("FD_ALL", 29, header("FD_ALL$HeartbeatHeader"), null);
    line("VERIFY_SUSPECT 1", 13, header("VERIFY_SUSPECT$VerifyHeader", (short) 1, A), null);
    for (int type = 10; type <= 14; type++) {
      Header fdSock = header("FD_SOCK$FdHeader", (byte) type);
      if (type == 10) set(fdSock, "mbrs", new LinkedHashSet<Address>(Arrays.asList(B, C)));
      if (type == 12) set(fdSock, "mbr", B);
      if (type == 12) set(fdSock, "sock_addr", ip6);
      if (type == 14) {
        Map<Address, IpAddress> cache = new LinkedHashMap<>();
        cache.put(A, ip4);
        cache.put(B, ip6);
        set(fdSock, "cachedAddrs", cache);
      }
      line("FD_SOCK " + type, 3, fdSock, null);
    }
  }

  static void discovery(View view, IpAddress ip4, IpAddress ip6) throws Exception {
    List<PhysicalAddress> addresses = Arrays.<PhysicalAddress>asList(ip4, ip6);
    PingHeader request = new PingHeader((byte) 1, new PingData(A, null, false, "A", addresses), "cl");
    line("PING GET_MBRS_REQ", 6, request, null);
    PingHeader response = new PingHeader((byte) 2, new PingData(B, view, VIEW_ID, true, null, null));
    response.view_id = VIEW_ID;
    line("PING GET_MBRS_RSP", 6, response, null);
    line("TCPPING, a MergeView", 10, new PingHeader((byte) 2, new PingData(B, mergeView(), true)), null);
    line("MPING without data", 7, new PingHeader((byte) 1, (PingData) null), null);
  }

  static MergeView mergeView() {
    View first = new View(A, 299, Arrays.<Address>asList(A));
    Vector<View> inner = new Vector<>(Arrays.asList(first));
    MergeView second = new MergeView(B, 298, new Vector<Address>(Arrays.asList(B)), inner);
    Vector<View> views = new Vector<>(Arrays.asList(first, second));
    return new MergeView(B, 301, new Vector<Address>(Arrays.asList(A, B)), views);
  }

  static void membership(View view, Digest digest) throws Exception {
    MergeId mergeId = MergeId.create(B);
    set(mergeId, "id", 77);
    for (int type = 1; type <= 15; type++) {
      GMS.GmsHeader header = new GMS.GmsHeader((byte) type);
      if (type == 1 || type == 3) set(header, "mbr", A);
      if (type == 1) set(header, "useFlushIfPresent", true);
      if (type == 2) set(header, "join_rsp", new JoinRsp(view, digest));
      if (type == 5) set(header, "view", view);
      if (type == 6) set(header, "mbrs", Arrays.asList(A, B));
      if (type >= 6 && type <= 9) set(header, "merge_id", mergeId);
      if (type == 7) set(header, "merge_rejected", true);
      if (type == 7 || type == 8) set(header, "view", mergeView());
      if (type == 14) set(header, "my_digest", digest);
      line("GMS " + type, 14, header, null);
    }
    GMS.GmsHeader refused = new GMS.GmsHeader((byte) 2);
    set(refused, "join_rsp", new JoinRsp("no"));
    line("GMS JOIN_RSP, refused", 14, refused, null);
  }

  static void lists() throws Exception {
    Message first = new Message(B, A, new byte[] {1});
    first.putHeader((short) 15, NakAckHeader.createMessageHeader(1));
    first.putHeader((short) 21, new TpHeader("cl"));
    Message second = new Message(B, C, null);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Method write = TP.class.getDeclaredMethod("writeMessageList", Address.class, Address.class, List.class,
        DataOutputStream.class, boolean.class);
    write.setAccessible(true);
    write.invoke(null, B, A, Arrays.asList(first, second), new DataOutputStream(bytes), true);
    print("a list", bytes.toByteArray());
  }

  static void line(String name, int protocolId, Header header, byte[] payload) throws Exception {
    Message message = new Message(B, A, payload);
    message.putHeader((short) protocolId, header);
    print(name, single(message, false));
  }

  static byte[] single(Message message, boolean multicast) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Method write = TP.class.getDeclaredMethod("writeMessage", Message.class, DataOutputStream.class, boolean.class);
    write.setAccessible(true);
    write.invoke(null, message, new DataOutputStream(bytes), multicast);
    return bytes.toByteArray();
  }

  static void print(String name, byte[] bytes) {
    StringBuilder hex = new StringBuilder();
    for (byte one : bytes) hex.append(String.format("%02x", one));
    System.out.println(name + "\t" + hex);
  }

  // --- what is not public --------------------------------------------------------------------------------

  static Header header(String name, Object... args) throws Exception {
    for (Constructor<?> constructor : Class.forName("org.jgroups.protocols." + name).getDeclaredConstructors()) {
      if (constructor.getParameterCount() != args.length) continue;
      constructor.setAccessible(true);
      try {
        return (Header) constructor.newInstance(args);
      } catch (IllegalArgumentException other) {
        continue;
      }
    }
    throw new IllegalStateException("no constructor of " + name);
  }

  static void set(Object object, String name, Object value) throws Exception {
    Field field = object.getClass().getDeclaredField(name);
    field.setAccessible(true);
    field.set(object, value);
  }
}
