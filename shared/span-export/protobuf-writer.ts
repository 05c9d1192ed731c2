/** Writes protobuf messages one after the other into blocks of memory that are shared by many of them. */

const BLOCK = 64 * 1024;
/** Longer texts are copied by the runtime, shorter ones are faster copied here. */
const SHORT_TEXT = 32;
const UINT32 = 2 ** 32;

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** A finished message, or part of one. */
export interface Written {
  block: Buffer;
  start: number;
  end: number;
}

export class ProtobufWriter {
  #block: Buffer;
  /** Where the message that is being written begins. */
  #start = 0;
  #at = 0;

  /** @param size of the first block, in bytes. */
  constructor(size = BLOCK) {
    this.#block = Buffer.allocUnsafeSlow(size);
  }

  /** Where everything since the last call is. */
  take(): Written {
    const written = { block: this.#block, start: this.#start, end: this.#at };
    this.#start = this.#at;
    return written;
  }

  /** What comes next goes to another block: this one was given away. */
  leaveBlock(): void {
    this.#block = Buffer.allocUnsafeSlow(BLOCK);
    this.#start = 0;
    this.#at = 0;
  }

  /** Begins a message within the message. @returns what {@link close} wants to know. */
  open(field: number): number {
    this.#tag(field, DELIMITED);
    this.#room(1);
    this.#at++; // for its length, if that is short
    return this.#at - this.#start;
  }

  /** @param opened what {@link open} has given. */
  close(opened: number): void {
    const begin = this.#start + opened;
    const length = this.#at - begin;
    if (length > 0x7f) {
      const more = lengthOf(length) - 1;
      this.#room(more);
      const moved = this.#start + opened; // in another block, perhaps
      this.#block.copyWithin(moved + more, moved, this.#at);
      this.#at = moved - 1;
      this.#varint(length);
      this.#at += length;
    } else this.#block[begin - 1] = length;
  }

  text(field: number, text: string): void {
    this.#tag(field, DELIMITED);
    this.#room(text.length * 3 + 5);
    if (text.length > SHORT_TEXT || !this.#shortText(text)) {
      const length = Buffer.byteLength(text);
      this.#varint(length);
      this.#at += this.#block.write(text, this.#at, length);
    }
  }

  /** Bytes, given as hex digits. */
  hex(field: number, digits: string): void {
    this.#tag(field, DELIMITED);
    const length = digits.length / 2;
    this.#room(length + 5);
    this.#varint(length);
    this.#at += this.#block.write(digits, this.#at, 'hex');
  }

  integer(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#room(10);
    if (value >= 0) this.#varint(value);
    else this.#negative(BigInt(value));
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    this.#at = this.#block.writeDoubleLE(value, this.#at);
  }

  /** Nanoseconds as a 64-bit number. @param ms exact to the microsecond. */
  nanoseconds(field: number, ms: number): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    const micros = Math.round(ms * 1_000);
    const low = (micros % UINT32) * 1_000;
    this.#at = this.#block.writeUInt32LE(low % UINT32, this.#at);
    this.#at = this.#block.writeUInt32LE(Math.floor(micros / UINT32) * 1_000 + Math.floor(low / UINT32), this.#at);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#room(4);
    this.#at = this.#block.writeUInt32LE(value, this.#at);
  }

  /** Fields that are written already. */
  written({ block, start, end }: Written): void {
    this.#room(end - start);
    this.#at += block.copy(this.#block, this.#at, start, end);
  }

  #tag(field: number, type: number): void {
    this.#room(5);
    this.#varint((field << 3) | type);
  }

  /** Makes room, if necessary in another block, to which goes what there is of the message. */
  #room(size: number): void {
    if (this.#at + size <= this.#block.length) return;
    const length = this.#at - this.#start;
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK, 2 * (length + size)));
    this.#block.copy(block, 0, this.#start, this.#at);
    this.#block = block;
    this.#start = 0;
    this.#at = length;
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#block[this.#at++] = (rest % 0x80) | 0x80;
    this.#block[this.#at++] = rest;
  }

  #negative(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#block[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#block[this.#at++] = Number(rest);
  }

  /** @returns false, and writes nothing, if not all of it is ASCII. */
  #shortText(text: string): boolean {
    const { length } = text;
    const block = this.#block;
    const begin = this.#at + 1;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      block[begin + i] = code;
    }
    block[begin - 1] = length;
    this.#at = begin + length;
    return true;
  }
}

/** Bytes that a varint takes. */
function lengthOf(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
