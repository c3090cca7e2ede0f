import { LocalProtocolError } from '../protocol/errors.ts';

export function tlsError(message: string): LocalProtocolError {
  return new LocalProtocolError('ERR_TLS', message);
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'it is a directory',
  EACCES: 'no permission',
  EPERM: 'no permission',
};

/** Without the system call and the path, which is named anyhow. */
export function explainFileError({ code, message }: NodeJS.ErrnoException): string {
  return FILE_ERRORS[code ?? ''] ?? message;
}

/** OpenSSL's reason alone: its messages begin with a thread's id and end with a line of its source and a line feed. */
export function opensslReason(error: Error & { readonly reason?: unknown }): string {
  return typeof error.reason === 'string' && error.reason !== '' ? error.reason : error.message.trim();
}
