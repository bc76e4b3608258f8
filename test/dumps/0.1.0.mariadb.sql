/*M!999999\- enable the sandbox mode */ 

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;
DROP TABLE IF EXISTS `migrations`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `migrations` (
  `name` varchar(255) NOT NULL,
  PRIMARY KEY (`name`),
  UNIQUE KEY `name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `migrations` VALUES ('0001-foundation');
DROP TABLE IF EXISTS `roles`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `roles` (
  `id` char(36) NOT NULL,
  `name` varchar(64) NOT NULL,
  `created_at` datetime(3) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `name` (`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `roles` VALUES ('01a1fc3f-49da-70e0-a78f-c73a989e1a6e','user','2026-11-21 03:56:08.000');
INSERT INTO `roles` VALUES ('01a1fc3f-49de-7373-a435-ae2401ac8dd5','moderator','2026-11-21 03:56:08.000');
INSERT INTO `roles` VALUES ('01a1fc3f-49de-7373-a435-b1bf20b9dd8b','admin','2026-11-21 03:56:08.000');
INSERT INTO `roles` VALUES ('01a1fc3f-60b6-700c-aefc-6bab6c82bd30','press','2026-11-21 03:56:14.392');
DROP TABLE IF EXISTS `sessions`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `sessions` (
  `id` char(36) NOT NULL,
  `user_id` char(36) NOT NULL,
  `strategy` varchar(64) NOT NULL,
  `device_kind` varchar(16) DEFAULT NULL,
  `device_name` varchar(64) DEFAULT NULL,
  `user_agent` varchar(255) DEFAULT NULL,
  `ip` varchar(45) DEFAULT NULL,
  `generation` int(11) NOT NULL DEFAULT 0,
  `expires_at` datetime(3) NOT NULL,
  `ended_at` datetime(3) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL,
  `updated_at` datetime(3) NOT NULL,
  PRIMARY KEY (`id`),
  KEY `sessions_user_id` (`user_id`),
  CONSTRAINT `sessions_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `sessions` VALUES ('01a1fc3f-4c59-7761-93ea-32d67b9b4178','01a1fc3f-4c50-766d-90ed-86de7fb3a425','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2027-02-19 03:56:09.178',NULL,'2026-11-21 03:56:09.178','2026-11-21 03:56:09.178');
INSERT INTO `sessions` VALUES ('01a1fc3f-4d9f-7547-a862-0b53f2f69c64','01a1fc3f-4d06-7571-90e4-a4c069631c65','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2027-02-19 03:56:09.503',NULL,'2026-11-21 03:56:09.503','2026-11-21 03:56:09.503');
INSERT INTO `sessions` VALUES ('01a1fc3f-4ead-732a-a076-7fa4959d7e8b','01a1fc3f-4e9b-7290-9fe9-aeb918d9ba3e','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2027-02-19 03:56:09.773','2026-11-21 03:56:19.545','2026-11-21 03:56:09.773','2026-11-21 03:56:19.546');
INSERT INTO `sessions` VALUES ('01a1fc3f-754a-734e-89ae-64483f3994e7','01a1fc3f-4c50-766d-90ed-86de7fb3a425','local','mobile','phone','curl/7.88.1','127.0.0.1',0,'2027-02-19 03:56:19.658',NULL,'2026-11-21 03:56:19.658','2026-11-21 03:56:19.658');
DROP TABLE IF EXISTS `signing_keys`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `signing_keys` (
  `kid` varchar(64) NOT NULL,
  `algorithm` varchar(8) NOT NULL,
  `active` tinyint(1) DEFAULT NULL,
  `sealed_private_key` text NOT NULL,
  `created_at` datetime(3) NOT NULL,
  PRIMARY KEY (`kid`),
  UNIQUE KEY `signing_keys_algorithm_active` (`algorithm`,`active`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `signing_keys` VALUES ('ksA_h6KRAKAwgTrtS4U4ChGhrBoHIlr70BOIuZrn8TI','ES256',1,'Sd-Hp_9lxaA8ws6gko-T1RFCZHuDgiYQJMK2zwqh-vCD-Kky6gW_1pxKwUdYMj-QNz-pfh-24veFREMwaFbGEV4Xh_h1u7Wd3UePj1uIP4_7Gx5abrsQ8fpfRkrwzN55xFC0wcUiW-exvIb1qS8vAKiq1tul_sCWbtQOJcQ3Z9KEsYZkNibjZnABxZ_2mAsfu9Xi_F5U9HQzCLo9CkhyfETgnXpiYFw3_BUsH9B2heoHcuR95qOmIorzrn3QXfVPCKVnldEmsgzMYG0VhcdfIVOm3qu-mVw1V9H4s-nHJCNPBY-p5t06OybDKCao4RDITyfi7Klv_rkLtqcfS-dz9AsvhBuzpi6qlPgC0PQ','2026-11-21 03:56:08.583');
DROP TABLE IF EXISTS `user_roles`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `user_roles` (
  `user_id` char(36) NOT NULL,
  `role_id` char(36) NOT NULL,
  `created_at` datetime(3) NOT NULL,
  PRIMARY KEY (`user_id`,`role_id`),
  KEY `user_roles_role_id` (`role_id`),
  CONSTRAINT `user_roles_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `user_roles_ibfk_2` FOREIGN KEY (`role_id`) REFERENCES `roles` (`id`) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `user_roles` VALUES ('01a1fc3f-4c50-766d-90ed-86de7fb3a425','01a1fc3f-49da-70e0-a78f-c73a989e1a6e','2026-11-21 03:56:09.172');
INSERT INTO `user_roles` VALUES ('01a1fc3f-4c50-766d-90ed-86de7fb3a425','01a1fc3f-49de-7373-a435-b1bf20b9dd8b','2026-11-21 03:56:12.194');
INSERT INTO `user_roles` VALUES ('01a1fc3f-4d06-7571-90e4-a4c069631c65','01a1fc3f-49da-70e0-a78f-c73a989e1a6e','2026-11-21 03:56:09.400');
INSERT INTO `user_roles` VALUES ('01a1fc3f-4d06-7571-90e4-a4c069631c65','01a1fc3f-60b6-700c-aefc-6bab6c82bd30','2026-11-21 03:56:16.898');
INSERT INTO `user_roles` VALUES ('01a1fc3f-4e9b-7290-9fe9-aeb918d9ba3e','01a1fc3f-49da-70e0-a78f-c73a989e1a6e','2026-11-21 03:56:09.756');
DROP TABLE IF EXISTS `users`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `users` (
  `id` char(36) NOT NULL,
  `username` varchar(64) DEFAULT NULL,
  `username_canonical` varchar(64) DEFAULT NULL,
  `email` varchar(254) DEFAULT NULL,
  `email_canonical` varchar(254) DEFAULT NULL,
  `email_verified_at` datetime(3) DEFAULT NULL,
  `password_hash` varchar(255) DEFAULT NULL,
  `name` varchar(100) DEFAULT NULL,
  `disabled_at` datetime(3) DEFAULT NULL,
  `created_at` datetime(3) NOT NULL,
  `updated_at` datetime(3) NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `username_canonical` (`username_canonical`),
  UNIQUE KEY `email_canonical` (`email_canonical`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `users` VALUES ('01a1fc3f-4c50-766d-90ed-86de7fb3a425','Ada','ada','Ada@Example.com','ada@example.com',NULL,'$2b$04$mUidrbWMAVkUkXcLUUuUme6mrD63onA97E8kje.133P/3aXTfnxZ2','Ada Lovelace',NULL,'2026-11-21 03:56:09.169','2026-11-21 03:56:09.169');
INSERT INTO `users` VALUES ('01a1fc3f-4d06-7571-90e4-a4c069631c65','bob','bob',NULL,NULL,NULL,'$2b$04$UL7Q.9gY0Fp/C00IM3gdUOBnHJfvlAZW0aLMRCgtaxrQO25.yKFl.',NULL,NULL,'2026-11-21 03:56:09.350','2026-11-21 03:56:09.350');
INSERT INTO `users` VALUES ('01a1fc3f-4e9b-7290-9fe9-aeb918d9ba3e',NULL,NULL,'zoe@example.com','zoe@example.com',NULL,'$2b$04$4bpkDFBhEviOkS7vLZ59eujR82jXCqkWdAcVgMedyKDh9eLTlqu8C',NULL,'2026-11-21 03:56:19.541','2026-11-21 03:56:09.755','2026-11-21 03:56:19.541');
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

