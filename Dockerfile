# Not run: there was no container engine where this file was written. Its npm commands were run by hand, in this order,
# under Node 24. `test/package.test.ts` makes the folder of the last stage and runs `sallyport` in it. The image itself,
# its user, volume and health check have not been built or started.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/src/start.js src/start.js
# The command line: docker exec <container> sallyport role grant ada admin
RUN ln -s /app/src/start.js /usr/local/bin/sallyport
# The embedded database and its secret. With another DATABASE_URL it stays empty.
RUN mkdir data && chown node:node data
USER node
VOLUME /app/data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["sallyport"]
