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
INSERT INTO `migrations` VALUES ('0002-refresh');
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

INSERT INTO `roles` VALUES ('01a1fc41-fabd-73fd-881c-040951d5c463','user','2026-11-21 03:59:04.000');
INSERT INTO `roles` VALUES ('01a1fc41-fabe-7590-94e3-96254446c306','moderator','2026-11-21 03:59:04.000');
INSERT INTO `roles` VALUES ('01a1fc41-fabe-7590-94e3-9a248b14f3d8','admin','2026-11-21 03:59:04.000');
INSERT INTO `roles` VALUES ('01a1fc42-023a-71f2-8a79-cce341ffeff2','press','2026-11-21 03:59:06.811');
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
  `device_platform` varchar(32) DEFAULT NULL,
  `rotated_at` datetime(3) DEFAULT NULL,
  `acknowledged` tinyint(1) NOT NULL DEFAULT 1,
  `last_seen_at` datetime(3) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `sessions_user_id` (`user_id`),
  KEY `sessions_expires_at` (`expires_at`),
  CONSTRAINT `sessions_ibfk_1` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `sessions` VALUES ('01a1fc41-fc62-760a-b064-7e8354406b81','01a1fc41-fc5a-75e1-81f6-9f642218f3ad','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2026-12-05 03:59:05.313',NULL,'2026-11-21 03:59:05.313','2026-11-21 03:59:05.314',NULL,NULL,1,NULL);
INSERT INTO `sessions` VALUES ('01a1fc41-fc7f-71bf-bb38-81155180dae5','01a1fc41-fc77-7370-9815-617af9c100a9','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2026-12-05 03:59:05.342',NULL,'2026-11-21 03:59:05.342','2026-11-21 03:59:05.344',NULL,NULL,1,NULL);
INSERT INTO `sessions` VALUES ('01a1fc41-fc9d-73cc-bbe9-23262547fabb','01a1fc41-fc94-71b1-a155-59b040832ecb','local',NULL,NULL,'curl/7.88.1','127.0.0.1',0,'2026-11-21 03:59:08.086','2026-11-21 03:59:08.086','2026-11-21 03:59:05.372','2026-11-21 03:59:08.087',NULL,NULL,1,NULL);
INSERT INTO `sessions` VALUES ('01a1fc42-075e-76dd-8f88-df692cdc970a','01a1fc41-fc5a-75e1-81f6-9f642218f3ad','local','mobile','phone','curl/7.88.1','127.0.0.1',0,'2027-01-20 03:59:08.125',NULL,'2026-11-21 03:59:08.125','2026-11-21 03:59:08.126',NULL,NULL,1,NULL);
DROP TABLE IF EXISTS `signing_keys`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `signing_keys` (
  `kid` varchar(64) NOT NULL,
  `algorithm` varchar(8) NOT NULL,
  `sealed_private_key` text NOT NULL,
  `created_at` datetime(3) NOT NULL,
  `sequence` int(11) NOT NULL DEFAULT 0,
  PRIMARY KEY (`kid`),
  UNIQUE KEY `signing_keys_algorithm_sequence` (`algorithm`,`sequence`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
/*!40101 SET character_set_client = @saved_cs_client */;

INSERT INTO `signing_keys` VALUES ('sRIrucSOhnm05IV-KkyTkCCrCQK_YdGLXUM8r14uBsU','ES256','BTpaDi3BBxgCN6JgeZLc8RAbZtCJTcP_XjBIC-30tAqTgGj7jiD6MrSq3SLnq8sP1YP_TpVBnH_1gWRtAWWL_5y2OQbEjEx8KAEX8NiFN4UbBabMawsAxqx5eSAWd7ZaSkyG9B_OtuJm2RzFImDl4Qlr0whzerwOXHs7jtDdEAvm0oq4IihHtsE_wJ2-zd3xQnzpjF3qztZiWHJwpHGAofA5eIT0s_i54m7UhKYOXsjqHR7jwyg9_nX_JxE9dy_Gy6c42-WJO4eF3yXUe2MrvMPjcsEUKgB3roY9ks8yQZyW398m_mSDExw8LFsOaQCkMqyJfQuwsNAAFQa7u0tAaF0_xExSegUZIYDRbYY','2026-11-21 03:59:05.231',0);
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

INSERT INTO `user_roles` VALUES ('01a1fc41-fc5a-75e1-81f6-9f642218f3ad','01a1fc41-fabd-73fd-881c-040951d5c463','2026-11-21 03:59:05.309');
INSERT INTO `user_roles` VALUES ('01a1fc41-fc5a-75e1-81f6-9f642218f3ad','01a1fc41-fabe-7590-94e3-9a248b14f3d8','2026-11-21 03:59:06.103');
INSERT INTO `user_roles` VALUES ('01a1fc41-fc77-7370-9815-617af9c100a9','01a1fc41-fabd-73fd-881c-040951d5c463','2026-11-21 03:59:05.336');
INSERT INTO `user_roles` VALUES ('01a1fc41-fc77-7370-9815-617af9c100a9','01a1fc42-023a-71f2-8a79-cce341ffeff2','2026-11-21 03:59:07.463');
INSERT INTO `user_roles` VALUES ('01a1fc41-fc94-71b1-a155-59b040832ecb','01a1fc41-fabd-73fd-881c-040951d5c463','2026-11-21 03:59:05.366');
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

INSERT INTO `users` VALUES ('01a1fc41-fc5a-75e1-81f6-9f642218f3ad','Ada','ada','Ada@Example.com','ada@example.com',NULL,'$2b$04$2SEAr9IJB7OkNf.bQlQRw.loTTd2zTUTbOC9zEn9Z..EF.e7kSG/.','Ada Lovelace',NULL,'2026-11-21 03:59:05.307','2026-11-21 03:59:05.307');
INSERT INTO `users` VALUES ('01a1fc41-fc77-7370-9815-617af9c100a9','bob','bob',NULL,NULL,NULL,'$2b$04$RCRX1OMCSD7UafzOvu8Lsu7DimSVNcbffqeVVXGNu6/67RTYW/F5C',NULL,NULL,'2026-11-21 03:59:05.336','2026-11-21 03:59:05.336');
INSERT INTO `users` VALUES ('01a1fc41-fc94-71b1-a155-59b040832ecb',NULL,NULL,'zoe@example.com','zoe@example.com',NULL,'$2b$04$e.gk5/wHLFQWzB4aUIaLYetEuEMioNh57dw/nrFf36rgLsxyS1x/e',NULL,'2026-11-21 03:59:08.081','2026-11-21 03:59:05.364','2026-11-21 03:59:08.081');
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

