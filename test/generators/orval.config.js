export default {
  sallyport: {
    input: './openapi.json',
    output: {
      target: './generated/client.ts',
      client: 'fetch',
      mode: 'single',
      baseUrl: process.env.SERVER_URL,
    },
  },
};
