import { open, rename, type FileHandle } from 'node:fs/promises';

import type { Logger } from '../protocol/logger.ts';

/** Written at once if the disk is slower than we are; the largest block (64 KiB and its headers) fits. */
const CHUNK_BYTES = 256 * 1024;

/** What may wait for the disk: 8 MiB are half a second of a gigabit. Past it packets are dropped and counted. */
const MAX_WAITING_CHUNKS = 32;

/** Chunks kept for use again: one is being written, one is being filled. */
const MAX_SPARE_CHUNKS = 2;

/** `close()` gives the disk up after so long without progress: who stops must not hang on a dead file server. */
const CLOSE_PATIENCE_MS = 2_000;
/** And after so often that time in any case. */
const CLOSE_ROUNDS = 5;

/** Only who runs this member may read what it said. */
const FILE_MODE = 0o600;

/** What is to be done with the file before a chunk is written. */
type Opening = 'create' | 'append' | 'rotate';

interface Chunk {
  readonly bytes: Buffer;
  used: number;
  readonly opening: Opening | null;
}

/** `full`: maxBytes are reached; `failed`: the disk said no. */
export type CaptureFileState = 'idle' | 'recording' | 'full' | 'failed' | 'closed';

export interface CaptureFileOptions {
  readonly file: string;
  /** The file grows no larger than this. */
  readonly maxBytes: number;
  /** What to do then: no more is written, or the file becomes `<file>.1` and a new one begins. */
  readonly whenFull: 'stop' | 'rotate';
  /** Begins every file. */
  readonly head: () => Buffer;
  /** Ends every file; always of `tailBytes`. */
  readonly tail: () => Buffer;
  readonly tailBytes: number;
  readonly logger: Logger;
}

/**
 * A file that is written behind the back of its writer: blocks go into chunks of memory, and the chunks to the disk
 * whenever that is ready. Nothing here throws or waits; what cannot be written is refused, and said once.
 */
export class CaptureFile {
  /** Where the block is to be written that `reserve` made room for, at the offset that it returned. */
  buffer: Buffer = Buffer.alloc(0);
  #state: CaptureFileState = 'idle';
  readonly #options: CaptureFileOptions;
  /** Bytes of the current file, those that wait included. */
  #fileBytes = 0;
  #current: Chunk | null = null;
  /** Full ones, and those before a new file. */
  #waiting: Chunk[] = [];
  readonly #spare: Buffer[] = [];
  #saidSlow = false;

  #handle: FileHandle | null = null;
  /** Bytes of the open file up to the last whole block. */
  #written = 0;
  /** Of all files. */
  #chunksWritten = 0;
  #writing: Promise<void> | null = null;

  constructor(options: CaptureFileOptions) {
    this.#options = options;
  }

  get state(): CaptureFileState {
    return this.#state;
  }

  /** Begins to record; after `close()` once more, at the end of the same file. */
  begin(): void {
    if (this.#state !== 'idle' && this.#state !== 'closed') return;
    const opening = this.#state === 'idle' ? 'create' : 'append';
    this.#state = 'recording';
    const head = this.#options.head();
    if (this.#isTooLarge(head.length)) this.#stop();
    else this.#beginPart(opening, head);
  }

  /**
   * Room for a block, which must be written before this turn of the event loop ends.
   * @param bytes at most 128 KiB
   * @returns its offset in `buffer`, or -1 if there is no room or nothing is recorded (any more)
   */
  reserve(bytes: number): number {
    if (this.#state !== 'recording') return -1;
    if (this.#isTooLarge(bytes) && !this.#makeRoom(bytes)) return -1;
    let chunk = this.#current;
    if (chunk === null || chunk.used + bytes > chunk.bytes.length) {
      if (this.#waiting.length >= MAX_WAITING_CHUNKS) {
        this.#complainOfDisk();
        return -1;
      }
      chunk = this.#nextChunk(null);
    }
    const offset = chunk.used;
    chunk.used += bytes;
    this.#fileBytes += bytes;
    this.buffer = chunk.bytes;
    this.#writing ??= this.#startWriting();
    return offset;
  }

  /** Writes out what waits and closes the file; resolves when that is done, or the disk does not answer. */
  async close(): Promise<void> {
    if (this.#state === 'recording') this.#end('closed');
    for (let round = 0; round < CLOSE_ROUNDS; round++) {
      const before = this.#chunksWritten;
      if (this.#writing === null || (await isDone(this.#writing))) return;
      // not in the first round: it may have been us who were busy
      if (round > 0 && this.#chunksWritten === before) break;
    }
    this.#options.logger.warn(`${this.#options.file}: the disk is too slow to wait for the last packets`);
  }

  // --- what is to be written -----------------------------------------------------------------------------------

  #isTooLarge(bytes: number): boolean {
    return this.#fileBytes + bytes + this.#options.tailBytes > this.#options.maxBytes;
  }

  /** The file is full: begins another one if that is wanted and of any use. */
  #makeRoom(bytes: number): boolean {
    const head = this.#options.whenFull === 'rotate' ? this.#options.head() : null;
    const { maxBytes, tailBytes } = this.#options;
    if (head === null || head.length + bytes + tailBytes > maxBytes) {
      this.#stop();
      return false;
    }
    if (this.#waiting.length >= MAX_WAITING_CHUNKS) {
      this.#complainOfDisk();
      return false;
    }
    this.#append(this.#options.tail());
    this.#beginPart('rotate', head);
    return true;
  }

  #stop(): void {
    const { file, maxBytes, logger } = this.#options;
    this.#end('full');
    logger.warn(`${file} has reached its limit of ${maxBytes} bytes: nothing more is recorded`);
  }

  #end(state: 'full' | 'closed'): void {
    this.#append(this.#options.tail());
    this.#state = state;
    this.#writing ??= this.#startWriting();
  }

  #beginPart(opening: Opening, head: Buffer): void {
    if (opening !== 'append') this.#fileBytes = 0;
    this.#nextChunk(opening);
    this.#append(head);
    this.#writing ??= this.#startWriting();
  }

  /** Our own blocks, which may exceed what may wait: they are few and small. */
  #append(block: Buffer): void {
    let chunk = this.#current;
    if (chunk === null || chunk.used + block.length > chunk.bytes.length) chunk = this.#nextChunk(null);
    chunk.bytes.set(block, chunk.used);
    chunk.used += block.length;
    this.#fileBytes += block.length;
  }

  #nextChunk(opening: Opening | null): Chunk {
    if (this.#current !== null) this.#waiting.push(this.#current);
    this.#current = { bytes: this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), used: 0, opening };
    return this.#current;
  }

  #complainOfDisk(): void {
    if (this.#saidSlow) return;
    this.#saidSlow = true;
    this.#options.logger.warn(
      `${this.#options.file}: the disk is too slow for the traffic; packets are missing from the recording`,
    );
  }

  // --- writing -------------------------------------------------------------------------------------------------

  /** From the next turn on, so that what comes in one turn is written at once. */
  #startWriting(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => void this.#write().then(resolve)));
  }

  async #write(): Promise<void> {
    try {
      for (;;) {
        const chunk = this.#waiting.shift() ?? this.#takeCurrent();
        if (chunk !== null) await this.#writeChunk(chunk);
        else if (this.#state !== 'recording' && this.#handle !== null) await this.#closeHandle();
        else break;
      }
    } catch (error) {
      await this.#fail(error as Error);
    }
    this.#writing = null;
  }

  #takeCurrent(): Chunk | null {
    const chunk = this.#current;
    this.#current = null;
    return chunk;
  }

  async #writeChunk({ bytes, used, opening }: Chunk): Promise<void> {
    if (opening !== null) await this.#open(opening);
    await this.#handle?.appendFile(bytes.subarray(0, used));
    this.#written += used;
    this.#chunksWritten++;
    if (this.#spare.length < MAX_SPARE_CHUNKS) this.#spare.push(bytes);
  }

  async #open(opening: Opening): Promise<void> {
    const { file } = this.#options;
    await this.#closeHandle();
    if (opening === 'rotate') await rename(file, `${file}.1`);
    this.#handle = await open(file, opening === 'append' ? 'a' : 'w', FILE_MODE);
    this.#written = opening === 'append' ? (await this.#handle.stat()).size : 0;
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** What is there of a block that was not written whole is cut off, so that the file can be read to its end. */
  async #fail(error: Error): Promise<void> {
    this.#state = 'failed';
    this.#waiting = [];
    this.#current = null;
    this.#options.logger.warn(`${this.#options.file}: ${error.message}; nothing more is recorded`);
    // Whatever fails of this, the disk has said already that it is not well.
    await this.#handle?.truncate(this.#written).catch(() => undefined);
    await this.#closeHandle().catch(() => undefined);
  }
}

/** False if it takes longer than we have patience. */
async function isDone(work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CLOSE_PATIENCE_MS);
  });
  const done = await Promise.race([work.then(() => true), tooLong]);
  clearTimeout(timer);
  return done;
}
