#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "http_parser.h"
#include "sdkconfig.h"

extern "C" {
typedef void* httpd_handle_t;
typedef enum http_method httpd_method_t;
typedef void (*httpd_free_ctx_fn_t)(void*);
typedef esp_err_t (*httpd_open_func_t)(httpd_handle_t, int);
typedef void (*httpd_close_func_t)(httpd_handle_t, int);
typedef bool (*httpd_uri_match_func_t)(const char*, const char*, size_t);
typedef void (*httpd_work_fn_t)(void*);
typedef int (*httpd_send_func_t)(httpd_handle_t, int, const char*, size_t, int);
typedef int (*httpd_recv_func_t)(httpd_handle_t, int, char*, size_t, int);

struct httpd_config_t {
  unsigned task_priority = 5;
  size_t stack_size = 4096;
  BaseType_t core_id = tskNO_AFFINITY;
  uint32_t task_caps = 0;
  size_t max_req_hdr_len = CONFIG_HTTPD_MAX_REQ_HDR_LEN;
  size_t max_uri_len = CONFIG_HTTPD_MAX_URI_LEN;
  uint16_t server_port = 80;
  uint16_t ctrl_port = 32768;
  uint16_t max_open_sockets = 7;
  uint16_t max_uri_handlers = 8;
  uint16_t max_resp_headers = 8;
  uint16_t backlog_conn = 5;
  bool lru_purge_enable = false;
  uint16_t recv_wait_timeout = 5;
  uint16_t send_wait_timeout = 5;
  void* global_user_ctx = nullptr;
  httpd_free_ctx_fn_t global_user_ctx_free_fn = nullptr;
  bool enable_so_linger = false;
  int linger_timeout = 0;
  bool keep_alive_enable = false;
  int keep_alive_idle = 0;
  int keep_alive_interval = 0;
  int keep_alive_count = 0;
  httpd_open_func_t open_fn = nullptr;
  httpd_close_func_t close_fn = nullptr;
  httpd_uri_match_func_t uri_match_fn = nullptr;
};
#define HTTPD_DEFAULT_CONFIG() \
  httpd_config_t {}

struct httpd_req_t {
  httpd_handle_t handle;
  int method;
  const char uri[CONFIG_HTTPD_MAX_URI_LEN + 1];
  size_t content_len;
  void* aux;
  void* user_ctx;
  void* sess_ctx;
  httpd_free_ctx_fn_t free_ctx;
  bool ignore_sess_ctx_changes;
};
struct httpd_uri_t {
  const char* uri;
  httpd_method_t method;
  esp_err_t (*handler)(httpd_req_t*);
  void* user_ctx;
  bool is_websocket;
  bool handle_ws_control_frames;
  const char* supported_subprotocol;
};
enum httpd_err_code_t { HTTPD_400_BAD_REQUEST, HTTPD_403_FORBIDDEN, HTTPD_404_NOT_FOUND, HTTPD_ERR_CODE_MAX };
typedef esp_err_t (*httpd_err_handler_func_t)(httpd_req_t*, httpd_err_code_t);

#define HTTPD_SOCK_ERR_FAIL -1
#define HTTPD_SOCK_ERR_INVALID -2
#define HTTPD_SOCK_ERR_TIMEOUT -3
#define HTTPD_RESP_USE_STRLEN -1

esp_err_t httpd_start(httpd_handle_t* out, const httpd_config_t* config);
bool httpd_uri_match_wildcard(const char* pattern, const char* uri, size_t count);
esp_err_t httpd_stop(httpd_handle_t server);
esp_err_t httpd_register_uri_handler(httpd_handle_t server, const httpd_uri_t* uri);
esp_err_t httpd_register_err_handler(httpd_handle_t server, httpd_err_code_t error, httpd_err_handler_func_t handler);
esp_err_t httpd_sess_set_recv_override(httpd_handle_t server, int fd, httpd_recv_func_t receive);
esp_err_t httpd_sess_set_send_override(httpd_handle_t server, int fd, httpd_send_func_t send);
esp_err_t httpd_req_async_handler_begin(httpd_req_t* request, httpd_req_t** out);
esp_err_t httpd_req_async_handler_complete(httpd_req_t* request);
int httpd_req_to_sockfd(httpd_req_t* request);
size_t httpd_req_get_hdr_value_len(httpd_req_t* request, const char* field);
esp_err_t httpd_req_get_hdr_value_str(httpd_req_t* request, const char* field, char* out, size_t size);
esp_err_t httpd_resp_send(httpd_req_t* request, const char* body, ssize_t size);
esp_err_t httpd_resp_set_status(httpd_req_t* request, const char* status);
esp_err_t httpd_resp_set_type(httpd_req_t* request, const char* type);
esp_err_t httpd_resp_set_hdr(httpd_req_t* request, const char* field, const char* value);
void* httpd_get_global_user_ctx(httpd_handle_t server);
esp_err_t httpd_queue_work(httpd_handle_t server, httpd_work_fn_t work, void* argument);

enum httpd_ws_type_t {
  HTTPD_WS_TYPE_CONTINUE = 0x0,
  HTTPD_WS_TYPE_TEXT = 0x1,
  HTTPD_WS_TYPE_BINARY = 0x2,
  HTTPD_WS_TYPE_CLOSE = 0x8,
  HTTPD_WS_TYPE_PING = 0x9,
  HTTPD_WS_TYPE_PONG = 0xA
};
enum httpd_ws_client_info_t { HTTPD_WS_CLIENT_INVALID, HTTPD_WS_CLIENT_HTTP, HTTPD_WS_CLIENT_WEBSOCKET };
struct httpd_ws_frame_t {
  bool final;
  bool fragmented;
  httpd_ws_type_t type;
  uint8_t* payload;
  size_t len;
};
esp_err_t httpd_ws_recv_frame(httpd_req_t* request, httpd_ws_frame_t* frame, size_t most);
esp_err_t httpd_ws_send_frame_async(httpd_handle_t server, int fd, httpd_ws_frame_t* frame);
httpd_ws_client_info_t httpd_ws_get_fd_info(httpd_handle_t server, int fd);
}
