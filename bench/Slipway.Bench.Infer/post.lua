wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"id":"1","inputs":[{"name":"distance","shape":[1,1],"datatype":"FP32","data":[1234.5]},{"name":"hour","shape":[1,1],"datatype":"INT64","data":[12]}]}'
