import java.util.Set;
import java.util.TreeSet;

/** Datagrams that this peer throws away on purpose, as if the network had lost them. */
final class Loss {
  private static final Loss INSTANCE = new Loss();

  private int every;
  private int left;
  private int seen;
  private Set<Integer> cutPorts = new TreeSet<>();

  private Loss() {}

  /** JGroups makes its transport itself, and there is one in a JVM: so it finds this here. */
  static Loss rules() {
    return INSTANCE;
  }

  /** From now on every so-manieth datagram, so many in all. */
  synchronized void drop(int every, int max) {
    if (every < 1) throw new IllegalArgumentException("every 1st datagram at the most");
    this.every = every;
    left = max;
    seen = 0;
    Truth.current().log("drop-rule", "every", every, "max", max);
  }

  /** All that comes from these ports; an empty set heals. */
  synchronized void cut(Set<Integer> ports) {
    cutPorts = ports;
    Truth.current().log("cut", "ports", ports.toString());
  }

  /** @return whether the datagram is to be thrown away; it is in the log then */
  synchronized boolean takes(int senderPort, byte[] data, int offset, int length) {
    seen++;
    if (!cutPorts.contains(senderPort)) {
      if (left == 0 || seen % every != 0) return false;
      left--;
    }
    Truth.current().log("rx-dropped", "n", seen, "len", length, "sha", Truth.sha(data, offset, length));
    return true;
  }
}
