/** A stack as lines, of which those of the project's own files are told apart. Pure. */

export interface Frame {
  text: string;
  /** Of a file of the project: the file as in the manifest, and the line, from 1. */
  file?: string;
  line?: number;
}

const NODE_FRAME = /\(?((?:file:\/\/)?\/[^()]+|[A-Za-z]:[^()]+):(\d+):\d+\)?$/;
const PYTHON_FRAME = /^\s*File "([^"]+)", line (\d+)/;

/** @param files of the project, relative to it, with `/`. */
export function toFrames(stack: string, files: readonly string[]): Frame[] {
  return stack.split('\n').map((text) => {
    const [, path, line] = PYTHON_FRAME.exec(text) ?? NODE_FRAME.exec(text.trim()) ?? [];
    const file = path && files.find((one) => path.replaceAll('\\', '/').endsWith(`/${one}`));
    return file ? { text, file, line: Number(line) } : { text };
  });
}
