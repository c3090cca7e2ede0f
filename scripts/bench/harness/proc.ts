/** What Linux says of a process: nothing that the process itself would have to tell, so that it is the same for all. */

import { readFileSync } from 'node:fs';

/** Of /proc/<pid>/stat: USER_HZ is 100 on all architectures that node runs on. */
const TICKS_A_SECOND = 100;

/** Processor time in user and system mode, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // the name, in parentheses, may hold spaces; after it come fields 3 and following (proc(5))
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Resident memory. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024;
}

/** Datagrams that the socket of a port threw away because its buffer was full. */
export function droppedDatagrams(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops = 0;
  for (const line of readFileSync('/proc/net/udp', 'latin1').split('\n')) {
    const fields = line.trim().split(/ +/);
    if (fields[1]?.endsWith(wanted) === true) drops += Number(fields.at(-1));
  }
  return drops;
}
