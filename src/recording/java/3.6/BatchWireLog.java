import org.jgroups.Message;
import org.jgroups.util.MessageBatch;

/** 3.6 passes on what came in one datagram as a whole. */
public class BatchWireLog extends WireLog {
  @Override
  public void up(MessageBatch batch) {
    for (Message message : batch) log("wire-up-batch", message);
    up_prot.up(batch);
  }
}
