/** The schema, and where its fields come from: from state, by the context of the step. */
import { buildSchema } from 'graphql';
import type { FlowContext } from 'motia';

/** What the resolvers need of the step's context. */
export type Context = Pick<
  FlowContext<{ topic: 'book.added'; data: { author: string } }>,
  'state' | 'emit' | 'traceId'
>;

interface Book {
  id: string;
  title: string;
  author: string;
}

export const schema = buildSchema(`
  type Book { id: ID!, title: String!, author: String! }
  type Author { name: String!, books: Int! }
  type Query { books: [Book!]!, book(id: ID!): Book, author(name: String!): Author }
  type Mutation { addBook(title: String!, author: String!): Book! }
`);

export const resolvers = {
  books: (_: unknown, { state }: Context) => state.getGroup<Book>('books'),
  book: ({ id }: { id: string }, { state }: Context) => state.get<Book>('books', id),
  async author({ name }: { name: string }, { state }: Context) {
    const books = await state.get<number>('authors', name);
    return books === null ? null : { name, books };
  },
  async addBook({ title, author }: { title: string; author: string }, { state, emit, traceId }: Context) {
    const book = await state.set<Book>('books', traceId, { id: traceId, title, author });
    await emit({ topic: 'book.added', data: { author } });
    return book;
  },
};
