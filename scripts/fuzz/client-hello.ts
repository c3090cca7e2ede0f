import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** The first record of a TLS 1.3 handshake, as this version of node sends it: another random and key share each time. */
export function recordClientHello(): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const wire = new Duplex({
      read: () => undefined,
      write(bytes: Buffer, _encoding, done) {
        done();
        resolve(Buffer.from(bytes));
        setImmediate(() => client.destroy()); // it writes before it is returned
      },
    });
    const client = connect({ socket: wire, rejectUnauthorized: false });
    client.on('error', reject);
  });
}
