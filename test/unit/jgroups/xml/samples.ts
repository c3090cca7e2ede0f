/** Stack files in the form of Geode's and JGroups' own, shortened. */

export const GEODE_LIKE = `<!--
 A comment that names MCAST_PORT and UDP_FRAGMENT_SIZE.
-->
<config xmlns="urn:org:jgroups">
<org.apache.geode.distributed.internal.membership.gms.messenger.Transport
  BIND_ADDR_SETTING
  bind_port="MEMBERSHIP_PORT_RANGE_START"
  port_range="MEMBERSHIP_PORT_RANGE"
  mcast_addr="MCAST_ADDRESS"
  mcast_port="MCAST_PORT"
  ip_mcast="true"
  ip_ttl="MCAST_TTL"
  tos="16"
  ucast_recv_buf_size="UDP_RECV_BUFFER_SIZE"
  ucast_send_buf_size="UDP_SEND_BUFFER_SIZE"
  mcast_recv_buf_size="MCAST_RECV_BUFFER_SIZE"
  mcast_send_buf_size="MCAST_SEND_BUFFER_SIZE"
  ignore_dont_bundle="false"
  thread_pool.enabled="false"
  oob_thread_pool.queue_max_size="100"
  timer.min_threads="1"/>
<org.apache.geode.distributed.internal.membership.gms.messenger.AddressManager/>
<pbcast.NAKACK2 xmit_interval="MCAST_RETRANSMIT_INTERVAL" use_mcast_xmit="false" xmit_table_num_rows="100"/>
<UNICAST3 conn_expiry_timeout="0" max_msg_batch_size="500"/>
<pbcast.STABLE stability_delay="50" desired_avg_gossip="2000" max_bytes="400000"/>
<UFC max_credits="FC_MAX_CREDITS" min_threshold="FC_THRESHOLD" max_block_time="FC_MAX_BLOCK"/>
<MFC max_credits="FC_MAX_CREDITS" min_threshold="FC_THRESHOLD" max_block_time="FC_MAX_BLOCK"/>
<FRAG2 frag_size="UDP_FRAGMENT_SIZE"/>
</config>
`;

export const UDP_LIKE = `<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="urn:org:jgroups"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xsi:schemaLocation="urn:org:jgroups http://www.jgroups.org/schema/jgroups.xsd">
  <UDP mcast_port="\${jgroups.udp.mcast_port:45588}" ip_ttl="4" ucast_recv_buf_size="5M" max_bundle_size="64K"/>
  <PING/>
  <MERGE3 max_interval="30000"/>
  <FD_SOCK/>
  <FD_ALL/>
  <VERIFY_SUSPECT timeout="1500"/>
  <BARRIER/>
  <pbcast.NAKACK2 xmit_interval="500" use_mcast_xmit="false"/>
  <UNICAST3 xmit_interval="500" conn_expiry_timeout="0"/>
  <pbcast.STABLE stability_delay="1000" desired_avg_gossip="50000" max_bytes="4M"/>
  <pbcast.GMS print_local_addr="true"/>
  <UFC max_credits="2M" min_threshold="0.4"/>
  <MFC max_credits="2M" min_threshold="0.4"/>
  <FRAG2 frag_size="60K"/>
  <RSVP resend_interval="2000" timeout="10000"/>
  <pbcast.STATE_TRANSFER/>
</config>
`;

/** Whatever is between \`<config>\` and \`</config>\`, above a transport. */
export const stackOf = (protocols: string, transport = '<UDP ip_mcast="false"/>'): string =>
  `<config>\n${transport}\n${protocols}\n</config>`;
