# Not run: there was no container engine where this file was written. Its npm commands were run by hand, in this order,
# under Node 24. `test/package.test.ts` runs the build on what `.dockerignore` lets in, makes the folder of the last stage
# and runs `sallyport` in it; `test/containers.test.ts` runs the health check against a server. The image itself has not
# been built or started.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY package.json ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/src/start.js src/start.js
# The command line: docker exec <container> sallyport role grant ada admin
RUN ln -s /app/src/start.js /usr/local/bin/sallyport
# The embedded database, its secret, and mails while there is no SMTP_URL. Nothing else is written.
RUN mkdir data && chown node:node data
USER node
VOLUME /app/data
EXPOSE 3000
STOPSIGNAL SIGTERM
# The shell asks, by a socket of its own: the image has no curl, and a second Node would cost 50 MB every ten seconds.
HEALTHCHECK --interval=10s --timeout=3s --start-period=40s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PORT:-3000} && printf 'GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
CMD ["sallyport"]
