import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import org.jgroups.Address;
import org.jgroups.Header;
import org.jgroups.MergeView;
import org.jgroups.Message;
import org.jgroups.PhysicalAddress;
import org.jgroups.View;
import org.jgroups.ViewId;
import org.jgroups.auth.AuthToken;
import org.jgroups.auth.DemoToken;
import org.jgroups.auth.FixedMembershipToken;
import org.jgroups.auth.MD5Token;
import org.jgroups.auth.RegexMembership;
import org.jgroups.auth.SimpleToken;
import org.jgroups.auth.X509Token;
import org.jgroups.blocks.LazyRemovalCache;
import org.jgroups.protocols.AuthHeader;
import org.jgroups.protocols.EncryptHeader;
import org.jgroups.protocols.FD_SOCK;
import org.jgroups.protocols.PingData;
import org.jgroups.protocols.PingHeader;
import org.jgroups.protocols.pbcast.DeltaView;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.JoinRsp;
import org.jgroups.protocols.pbcast.NakAckHeader2;
import org.jgroups.stack.IpAddress;
import org.jgroups.util.Buffer;
import org.jgroups.util.ByteArrayDataOutputStream;
import org.jgroups.util.Digest;
import org.jgroups.util.MergeId;
import org.jgroups.util.Streamable;
import org.jgroups.util.UUID;
import org.jgroups.util.Util;

/**
 * Prints one datagram a line, `name TAB hex`, written by JGroups' own classes: headers and payloads that no recording
 * shows. With jgroups-3.6.14.Final.jar on the class path: java HeaderVectors36.java > headers-3.6.14.txt
 * (3.6.20 prints the same.)
 */
public class HeaderVectors36 {
  static final UUID A = new UUID(0x0102030405060708L, 0xf1f2f3f4f5f6f7f8L);
  static final UUID B = new UUID(0x1111111111111111L, 0x2222222222222222L);
  static final UUID C = new UUID(-1L, -2L);
  static final UUID GONE = new UUID(5L, 6L);
  static final Class<?>[] VIEW_AND_DIGEST = {View.class, Digest.class};

  public static void main(String[] args) throws Exception {
    IpAddress ip4 = new IpAddress(InetAddress.getByAddress(new byte[] {10, 0, 0, 7}), 7800);
    byte[] host6 = {0x20, 1, 0x0d, (byte) 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    IpAddress ip6 = new IpAddress(Inet6Address.getByAddress(null, host6, 0), 65535);
    ViewId viewId = new ViewId(A, 300);
    View view = View.create(A, 300, A, B, C);
    Digest digest = new Digest(new Address[] {A, B, C}, new long[] {0, 0, 5, 5, 299, 70000});

    reliability(viewId, digest);
    application(digest, ip4, ip6);
    security();
    detection(ip4, ip6);
    discovery(viewId, view, ip4, ip6);
    membership(viewId, view, digest);
  }

  static void reliability(ViewId viewId, Digest digest) throws Exception {
    line("NAKACK2 MSG", 57, NakAckHeader2.createMessageHeader(70000), null);
    line("NAKACK2 XMIT_REQ", 57, NakAckHeader2.createXmitRequestHeader(C), null);
    NakAckHeader2 response = NakAckHeader2.createMessageHeader(3);
    set(response, "type", NakAckHeader2.XMIT_RSP);
    line("NAKACK2 XMIT_RSP", 57, response, null);
    line("NAKACK2 HIGHEST_SEQNO", 57, NakAckHeader2.createHighestSeqnoHeader(1), null);
    String stable = "pbcast.STABLE$StableHeader";
    line("STABLE STABLE_GOSSIP", 16, header(stable, (byte) 1, viewId), streamable(digest));
    line("STABLE STABILITY", 16, header(stable, (byte) 2, null), null);
  }

  static void application(Digest digest, IpAddress ip4, IpAddress ip6) throws Exception {
    for (int type = 1; type <= 3; type++) {
      line("RSVP " + type, 55, header("RSVP$RsvpHeader", (byte) type, (short) (type * 1000 - 1001)), null);
    }
    for (int type = 1; type <= 4; type++) {
      Header sequencer = header("SEQUENCER$SequencerHeader", (byte) type, type * 100000L);
      line("SEQUENCER " + type, 26, sequencer, new byte[] {1});
    }
    Header flushed = header("SEQUENCER$SequencerHeader", (byte) 1);
    set(flushed, "flush_ack", true);
    line("SEQUENCER without a seqno", 26, flushed, null);
    line("COMPRESS", 19, header("COMPRESS$CompressHeader", 123456), new byte[] {9, 8, 7});
    for (int type = 1; type <= 3; type++) {
      Header state = header("pbcast.STATE_TRANSFER$StateHeader", (byte) type, type == 2 ? digest : null);
      line("STATE_TRANSFER " + type, 17, state, null);
    }
    String streaming = "pbcast.StreamingStateTransfer$StateHeader";
    for (int type = 1; type <= 5; type++) {
      line("STATE " + type, 34, header(streaming, (byte) type, null, type == 2 ? digest : null), null);
    }
    line("STATE_SOCK IPv4", 35, header(streaming, (byte) 2, ip4, digest), null);
    line("STATE_SOCK IPv6", 35, header(streaming, (byte) 2, ip6, null), null);
  }

  static void security() throws Exception {
    EncryptHeader signed = new EncryptHeader(EncryptHeader.ENCRYPT, new byte[] {1, 2, 3});
    signed.signature(new byte[] {4, 5});
    line("SYM_ENCRYPT", 76, signed, new byte[] {1, 1, 1});
    line("ASYM_ENCRYPT 2", 77, new EncryptHeader((byte) 2, null), new byte[] {1});
    line("ASYM_ENCRYPT 4", 77, new EncryptHeader((byte) 4, new byte[0]), new byte[] {1});
    line("ASYM_ENCRYPT 8", 77, new EncryptHeader((byte) 8, new byte[] {7}), null);
    line("ASYM_ENCRYPT 16", 77, new EncryptHeader((byte) 16, null), null);
    line("AUTH without a token", 33, new AuthHeader(), null);
    token("SimpleToken", new SimpleToken("p\u00e4ss\u0000\ud83d\ude00"), null, null);
    token("MD5Token", new MD5Token(), "auth_value", "abc");
    token("FixedMembershipToken", new FixedMembershipToken(), "token", "10.0.0.1/7800");
    token("X509Token", new X509Token(), "encryptedToken", new byte[] {1, 2, 3, 4});
    token("RegexMembership", new RegexMembership(), null, null);
    token("DemoToken", new DemoToken(), null, null);
  }

  static void token(String name, AuthToken token, String field, Object value) throws Exception {
    if (field != null) set(token, field, value);
    line("AUTH " + name, 33, new AuthHeader(token), null);
  }

  static void detection(IpAddress ip4, IpAddress ip6) throws Exception {
    for (int type = 0; type <= 3; type++) {
      Header fd = type < 2
          ? header("FD$FdHeader", (byte) type)
          : header("FD$FdHeader", (byte) type, Arrays.asList(B, C), A);
      line("FD " + type, 2, fd, null);
    }
    line("FD_ALL", 29, header("FD_ALL$HeartbeatHeader"), null);
    line("FD_ALL2", 30, header("FD_ALL2$HeartbeatHeader"), null);
    for (int type = 10; type <= 15; type++) {
      Header fdSock = header("FD_SOCK$FdHeader", (byte) type);
      if (type < 12) set(fdSock, "mbrs", new LinkedHashSet<Address>(Arrays.asList(B, C)));
      if (type == 12 || type == 13) set(fdSock, "mbr", B);
      if (type == 13) set(fdSock, "sock_addr", ip6);
      byte[] payload = null;
      if (type == 15) {
        LazyRemovalCache<Address, IpAddress> cache = new LazyRemovalCache<>(10, 10000);
        cache.add(A, ip4);
        cache.add(B, ip6);
        payload = bytes(FD_SOCK.marshal(cache));
      }
      line("FD_SOCK " + type, 3, fdSock, payload);
    }
    line("VERIFY_SUSPECT 1", 13, header("VERIFY_SUSPECT$VerifyHeader", (short) 1, A), null);
    line("VERIFY_SUSPECT 2", 13, header("VERIFY_SUSPECT$VerifyHeader", (short) 2, null), null);
  }

  static void discovery(ViewId viewId, View view, IpAddress ip4, IpAddress ip6) throws Exception {
    line("PING GET_MBRS_REQ", 6, new PingHeader((byte) 1).clusterName("cl\u00fcster"), null);
    line("MPING GET_MBRS_RSP", 7, new PingHeader((byte) 2), null);
    PingData coord = new PingData(A, true, "A", ip6).coord(true).mbrs(Arrays.asList(B, C));
    line("TCPPING with data", 10, new PingHeader((byte) 2), streamable(coord));
    PingData nobody = new PingData(null, false, null, null);
    line("BPING with empty data", 49, new PingHeader((byte) 1), streamable(nobody));
    Class<?> merge3 = type("MERGE3$MergeHeader");
    Class<?>[] info = {ViewId.class, String.class, PhysicalAddress.class};
    line("MERGE3 INFO", 54, (Header) call(merge3, "createInfo", info, viewId, "A", ip4), null);
    line("MERGE3 VIEW_REQ", 54, (Header) call(merge3, "createViewRequest", new Class<?>[0]), null);
    Header response = (Header) call(merge3, "createViewResponse", new Class<?>[0]);
    line("MERGE3 VIEW_RSP", 54, response, streamable(view));
    line("MERGE3 VIEW_RSP, a MergeView", 54, response, streamable(mergeView()));
  }

  static MergeView mergeView() {
    View first = View.create(A, 299, A, C);
    View second = View.create(GONE, (1L << 33) + 7, GONE, B);
    return new MergeView(new ViewId(B, 301), Arrays.<Address>asList(A, B, C), Arrays.asList(first, second));
  }

  static void membership(ViewId viewId, View view, Digest digest) throws Exception {
    MergeId mergeId = MergeId.create(B);
    set(mergeId, "id", 77);
    DeltaView delta = new DeltaView(new ViewId(A, 301), viewId, new Address[] {C}, new Address[0]);
    byte[][] payloads = new byte[17][];
    payloads[2] = marshal(new Class<?>[] {JoinRsp.class}, new JoinRsp(view, digest));
    payloads[5] = marshal(VIEW_AND_DIGEST, delta, null);
    payloads[6] = marshal(new Class<?>[] {Collection.class}, Arrays.asList(A, B));
    payloads[7] = marshal(VIEW_AND_DIGEST, view, new Digest(new Address[] {A}, new long[] {1, 2}));
    payloads[8] = marshal(VIEW_AND_DIGEST, mergeView(), digest);
    payloads[14] = marshal(VIEW_AND_DIGEST, null, digest);
    payloads[15] = marshal(VIEW_AND_DIGEST, null, new Digest(new Address[] {B}, new long[] {7, 7}));
    payloads[16] = marshal(new Class<?>[] {ViewId.class}, viewId);
    for (int type = 1; type <= 16; type++) {
      GMS.GmsHeader header = new GMS.GmsHeader((byte) type);
      if (type == 1 || type == 3 || type == 11) {
        header.mbr(A);
        set(header, "useFlushIfPresent", true);
      }
      if (type >= 6 && type <= 9 || type == 13) header.mergeId(mergeId);
      if (type == 7) header.mergeRejected(true);
      line("GMS " + type, 14, header, payloads[type]);
    }
    line("GMS VIEW, a full view", 14, new GMS.GmsHeader((byte) 5), marshal(VIEW_AND_DIGEST, view, digest));
    byte[] refused = marshal(new Class<?>[] {JoinRsp.class}, new JoinRsp("no \u20ac"));
    line("GMS JOIN_RSP, refused", 14, new GMS.GmsHeader((byte) 2), refused);
    byte[] none = marshal(new Class<?>[] {ViewId.class}, (Object) null);
    line("GMS GET_CURRENT_VIEW, none", 14, new GMS.GmsHeader((byte) 16), none);
  }

  static void line(String name, int protocolId, Header header, byte[] payload) throws Exception {
    Message message = new Message(B, payload);
    message.setSrc(A);
    message.putHeader((short) protocolId, header);
    ByteArrayDataOutputStream out = new ByteArrayDataOutputStream(512);
    out.writeShort(0x198e);
    out.writeByte(0);
    message.writeTo(out);
    StringBuilder hex = new StringBuilder();
    for (int i = 0; i < out.position(); i++) hex.append(String.format("%02x", out.buffer()[i]));
    System.out.println(name + "\t" + hex);
  }

  // --- what is not public --------------------------------------------------------------------------------

  static Class<?> type(String name) throws Exception {
    return Class.forName("org.jgroups.protocols." + name);
  }

  static Header header(String name, Object... args) throws Exception {
    for (Constructor<?> constructor : type(name).getDeclaredConstructors()) {
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

  static Object call(Class<?> type, String name, Class<?>[] types, Object... args) throws Exception {
    Method method = type.getDeclaredMethod(name, types);
    method.setAccessible(true);
    return method.invoke(null, args);
  }

  static byte[] marshal(Class<?>[] types, Object... args) throws Exception {
    return bytes((Buffer) call(GMS.class, "marshal", types, args));
  }

  static byte[] streamable(Streamable value) throws Exception {
    return bytes(Util.streamableToBuffer(value));
  }

  static byte[] bytes(Buffer buffer) {
    return Arrays.copyOfRange(buffer.getBuf(), buffer.getOffset(), buffer.getOffset() + buffer.getLength());
  }
}
