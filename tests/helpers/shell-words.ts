/** What a shell makes of the lines of a block, as far as the documentation goes. */

const TOKEN = /'([^']*)'|"([^"]*)"|(\\\n)|(&&|\|\||[|;\n])|([ \t]+)|([^'"\s&|;\\]+|.)/g;

/** The words of each command, in their order; without comments, and without what redirects input and output. */
export function shellCommands(code: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(withoutRedirections(words));
    words = [];
  };
  for (const [, single, double, continued, separator, space, text] of withoutComments(code).matchAll(TOKEN)) {
    if (separator !== undefined) endCommand();
    else if (space !== undefined || continued !== undefined) endWord();
    else word = (word ?? '') + (single ?? double ?? text ?? '');
  }
  endCommand();
  return commands;
}

const withoutComments = (code: string) => code.replace(/(^|\s)#[^\n]*/g, '$1');

const isRedirection = (word: string | undefined) => word !== undefined && /^(<|>|>>)$/.test(word);

const withoutRedirections = (words: readonly string[]) =>
  words.filter((word, at) => !isRedirection(word) && !isRedirection(words[at - 1]));
