import java.util.Map;
import org.jgroups.Event;
import org.jgroups.Header;
import org.jgroups.Message;
import org.jgroups.conf.ClassConfigurator;
import org.jgroups.stack.Protocol;

/** Right above the transport: logs what goes down to the network and what comes up from it. */
public class WireLog extends Protocol {
  @Override
  public Object down(Event event) {
    if (event.getType() == Event.MSG) log("wire-down", (Message) event.getArg());
    return down_prot.down(event);
  }

  @Override
  public Object up(Event event) {
    if (event.getType() == Event.MSG) log("wire-up", (Message) event.getArg());
    return up_prot.up(event);
  }

  static void log(String event, Message message) {
    StringBuilder headers = new StringBuilder();
    for (Map.Entry<Short, Header> entry : message.getHeaders().entrySet()) {
      Class<?> protocol = ClassConfigurator.getProtocol(entry.getKey());
      headers.append(protocol == null ? "?" : protocol.getSimpleName()).append('#').append(entry.getKey());
      headers.append(": ").append(entry.getValue()).append("; ");
    }
    Truth.current().log(event, "src", Naming.of(message.getSrc()), "dest", Naming.of(message.getDest()),
        "flags", Message.flagsToString(message.getFlags()), "flagbits", message.getFlags(),
        "hdrs", headers, "len", message.getLength());
  }
}
