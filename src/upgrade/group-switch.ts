import type { JGroupsMessengerOptions } from '../jgroups/jgroups-messenger.ts';
import type { Logger } from '../protocol/logger.ts';
import type { MemberId } from '../protocol/member-id.ts';
import { OrderedGroupMessenger, OrderedTcpMessenger } from './ordered-messengers.ts';

/**
 * Which way messages to all take, where JGroups' multicast is on. While the view holds an old
 * member, each is one group message by UDP, to new members too, and none goes by TCP. Without old ones they go by TCP.
 *
 * JGroups gives no order between group messages and those to single members, and neither do we while both are
 * used. But group messages keep theirs when they change stacks: what comes by TCP waits until all members have the
 * group messages from before, and the other way round. It waits for a member that joins meanwhile as well: that one
 * may get group messages from before its time (NAKACK2), and must not get them late.
 */
export class GroupSwitch {
  readonly udp: OrderedGroupMessenger;
  readonly tcp: OrderedTcpMessenger;
  /** All group messages are with all members. */
  onSettled: () => void = () => undefined;
  readonly #logger: Logger;
  /** Null before the first view. */
  #byGroup: boolean | null = null;
  /** Members of the view that are reached by TCP. */
  #others: ReadonlySet<string> = new Set();

  constructor(options: JGroupsMessengerOptions) {
    this.#logger = options.environment.logger;
    this.udp = new OrderedGroupMessenger(options);
    this.tcp = new OrderedTcpMessenger(options);
    this.udp.onGroupStable = () => {
      this.tcp.release();
      if (this.udp.unstable === 0) this.onSettled();
    };
    this.tcp.onAcknowledged = () => this.udp.releaseGroup();
  }

  /** Messages to all are group messages. */
  get byGroup(): boolean {
    return this.#byGroup === true;
  }

  /**
   * Both messengers have a new view.
   * @param members those of it that are reached by TCP
   */
  viewInstalled(byGroup: boolean, members: readonly MemberId[]): void {
    const [before, known] = [this.#byGroup, this.#others];
    this.#byGroup = byGroup;
    this.#others = new Set(members.map(({ uuid }) => uuid));
    // only new members are left: each knows it by the same view, and helps the others to get done
    this.udp.setHasty(!byGroup);
    if (before !== null && before !== byGroup) {
      const way = byGroup ? 'by UDP, an old member is in the view' : 'by TCP, no old member is in the view';
      this.#logger.info(`messages to all go ${way}`);
      if (byGroup) this.udp.holdGroup(this.tcp.settled());
    }
    if (!byGroup) {
      const settled = this.udp.settled();
      for (const uuid of this.#others) if (before === true || !known.has(uuid)) this.tcp.hold(uuid, settled);
    }
    // somebody who was waited for may have left
    this.tcp.release();
    this.udp.releaseGroup();
  }
}
