using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Serving;
using Slipway.Gateway.Protocol;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;
using Slipway.Tests.Runtime.ModelHosts;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>One server of the small ONNX model for all the tests that leave it as it was.</summary>
public sealed class LateServer : IAsyncLifetime
{
    public HostedModels Models { get; } = new();

    public IModelHost Host { get; private set; } = null!;

    public InferenceServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = await ModelHost.StartAsync(Models.Onnx("late", HostedModels.Late), Models.Options, TestContext.Current.CancellationToken);
        Server = await InferenceServer.StartAsync(new InferenceOptions { BodyLimit = 4096, RowLimit = 100 }, Host, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Host.DisposeAsync();
        Models.Dispose();
    }
}

public sealed class InferenceServerTests(LateServer late) : IClassFixture<LateServer>, IDisposable
{
    private const string Row = """{"inputs":[{"name":"distance","shape":[1,1],"datatype":"FP32","data":[100]},{"name":"hour","shape":[1,1],"datatype":"INT64","data":[7]}]}""";
    private const string Infer = "/v2/models/flight-delay/infer";

    private readonly HttpClient client = new() { BaseAddress = late.Server.Url };
    private readonly IModelHost host = late.Host;
    private readonly InferenceServer server = late.Server;

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Answers_over_http_are_those_of_numpy()
    {
        var (distance, hour, expected) = HostedModels.Reference();
        var body = $$$"""
            {"id":"flight ✈ 1","parameters":{"priority":1},
             "inputs":[{"name":"hour","shape":[4,1],"datatype":"INT64","data":[{{{string.Join(',', hour)}}}]},
                       {"name":"distance","shape":[4,1],"datatype":"FP32","data":[[{{{string.Join("],[", distance)}}}]]}],
             "outputs":[{"name":"probability","parameters":{"binary_data":false}}]}
            """;
        var (status, answer) = await PostAsync(body);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("flight-delay", answer.GetProperty("model_name").GetString());
        Assert.Equal(host.Model.Version, answer.GetProperty("model_version").GetString());
        Assert.Equal("flight ✈ 1", answer.GetProperty("id").GetString());
        var output = Assert.Single(answer.GetProperty("outputs").EnumerateArray());
        Assert.Equal("probability FP32 [4,1]", $"{output.GetProperty("name")} {output.GetProperty("datatype")} {output.GetProperty("shape")}");
        var found = output.GetProperty("data").EnumerateArray().Select(x => x.GetDouble()).ToArray();
        Assert.Equal(4, found.Length);
        Assert.All(expected, (value, i) => Assert.Equal(value, found[i], 6e-7));
    }

    [Theory]
    [InlineData("/v2/health/live", """{"live":true}""")]
    [InlineData("/v2/health/ready", """{"ready":true}""")]
    [InlineData("/v2", """{"name":"slipway","version":"0.1.0","extensions":[]}""")]
    [InlineData("/v2/models/flight-delay/ready", """{"name":"flight-delay","ready":true}""")]
    [InlineData("/v2/models/flight-delay/versions/VERSION/ready", """{"name":"flight-delay","ready":true}""")]
    [InlineData("/v2/models/flight-delay", Metadata)]
    [InlineData("/v2/models/flight-delay/versions/VERSION", Metadata)]
    public async Task Health_and_metadata_are_the_protocols(string path, string body)
    {
        using var response = await client.GetAsync(path.Replace("VERSION", host.Model.Version), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(body.Replace("VERSION", host.Model.Version), await response.Content.ReadAsStringAsync(Cancellation));
    }

    private const string Metadata = """{"name":"flight-delay","versions":["VERSION"],"platform":"onnxruntime_onnx","inputs":[{"name":"distance","datatype":"FP32","shape":[-1,1]},{"name":"hour","datatype":"INT64","shape":[-1,1]}],"outputs":[{"name":"probability","datatype":"FP32","shape":[-1,1]}]}""";

    [Theory]
    [InlineData("GET", "/", 404, "there is nothing at this path; the protocol's paths begin with /v2", null)]
    [InlineData("GET", "/v2/models/other", 404, "there is no model 'other' here; this server answers for 'flight-delay'", null)]
    [InlineData("POST", "/v2/models/flight-delay/versions/1/infer", 404, "model 'flight-delay' has no version '1' here; it has 'VERSION'", null)]
    [InlineData("POST", "/v2/models/flight-delay/explain", 404, "there is nothing at this path; a model has /ready and /infer", null)]
    [InlineData("GET", Infer, 405, "GET is not answered here; allowed: POST", "POST")]
    [InlineData("POST", "/v2/health/live", 405, "POST is not answered here; allowed: GET, HEAD", "GET,HEAD")]
    [InlineData("DELETE", "/v2/models/flight-delay", 405, "DELETE is not answered here; allowed: GET, HEAD", "GET,HEAD")]
    public async Task A_wrong_path_or_method_is_refused_and_still_names_the_bundle(string method, string path, int status, string error, string? allow)
    {
        using var response = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Cancellation);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(error.Replace("VERSION", host.Model.Version), await ErrorOf(response));
        Assert.Equal(allow, response.Content.Headers.Allow.Count == 0 ? null : string.Join(',', response.Content.Headers.Allow));
        Assert.Equal([host.Model.Bundle.ToString()], response.Headers.GetValues(InferenceServer.BundleHeader));
    }

    [Theory]
    [InlineData("", "the body is empty; expected an inference request in JSON")]
    [InlineData("{", "the body is no JSON: line 1, byte 2")]
    [InlineData("{\"inputs\":[\n}", "the body is no JSON: line 2, byte 1")]
    [InlineData("null", "the body must be a JSON object with 'inputs'")]
    [InlineData("{}", "the request has no 'inputs'")]
    [InlineData("{\"inputs\":7}", "'inputs' must be an array of tensors")]
    [InlineData("{\"inputs\":[],\"inputs\":[]}", "'inputs' is given twice")]
    [InlineData("{\"inputs\":[]}", "input 'distance' is missing; the signature has 'distance' FP32, 'hour' INT64")]
    [InlineData("{\"input\":[]}", "the request: unknown key 'input'; did you mean 'inputs'?")]
    [InlineData("{\"id\":7}", "'id' must be a string")]
    [InlineData("{\"id\":\"\\uD800\"}", "a string is no valid Unicode", "the body is no JSON: ")]
    [InlineData("{\"\\uD800\":1}", "a string is no valid Unicode", "the body is no JSON: ")]
    [InlineData("{\"inputs\":[{\"name\":\"\\uD800\"}]}", "a string is no valid Unicode", "the body is no JSON: ")]
    [InlineData("{\"parameters\":7}", "the request: 'parameters' must be an object")]
    [InlineData("{\"parameters\":{\"binary_data_output\":true}}", "the request: binary tensor data is not supported; answers are JSON")]
    [InlineData("{\"outputs\":{}}", "'outputs' must be an array of objects with 'name'")]
    [InlineData("{\"outputs\":[7]}", "'outputs' must be an array of objects with 'name'")]
    [InlineData("{\"outputs\":[{}]}", "an output has no name")]
    [InlineData("{\"outputs\":[{\"name\":7}]}", "an output's name must be a string")]
    [InlineData("{\"outputs\":[{\"name\":\"probabilty\"}]}", "unknown output 'probabilty'; did you mean 'probability'?")]
    [InlineData("{\"outputs\":[{\"named\":\"probability\"}]}", "an output: unknown key 'named'; did you mean 'name'?")]
    public async Task A_body_that_is_no_request_is_refused_with_its_fault(string body, string error, string before = "")
    {
        using var response = await client.PostAsync(Infer, new StringContent(body), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(before + error, await ErrorOf(response));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(Row)).Status);
    }

    [Theory]
    [InlineData(" {}")]
    [InlineData(" 1")]
    [InlineData("]")]
    public async Task Nothing_may_follow_the_request(string more) => Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(Row + more)).Status);

    [Theory]
    [InlineData("[7]", "[24]", "input 'hour': element 0 is 24, allowed 0 to 23")]
    [InlineData("[100]", "[1e400]", "input 'distance': element 0 is 1e400, expected a number that fits FP32")]
    [InlineData("[1,1],\"datatype\":\"INT64\"", "[1],\"datatype\":\"INT64\"", "input 'hour' has shape [1], expected [-1, 1], where -1 is any size from 1 on")]
    public async Task Values_beyond_the_signature_are_refused(string original, string replacement, string error)
    {
        using var response = await client.PostAsync(Infer, new StringContent(Row.Replace(original, replacement)), Cancellation);
        Assert.Equal((HttpStatusCode.BadRequest, error), (response.StatusCode, await ErrorOf(response)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_beyond_the_limit_is_refused_whether_or_not_it_says_its_length(bool chunked)
    {
        HttpContent Body(int size)
        {
            var content = new StringContent(Row + new string(' ', size - Row.Length));
            return content;
        }

        async Task<HttpResponseMessage> Send(int size)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Infer) { Content = Body(size) };
            request.Headers.TransferEncodingChunked = chunked;
            return await client.SendAsync(request, Cancellation);
        }

        using var fits = await Send(4096);
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        using var over = await Send(4097);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "the body is larger than 4096 bytes; send fewer rows at once"), (over.StatusCode, await ErrorOf(over)));
        Assert.True(over.Headers.Contains(InferenceServer.BundleHeader));
    }

    [Fact]
    public async Task More_rows_than_allowed_are_refused()
    {
        static string Rows(int rows) => $$"""
            {"inputs":[{"name":"distance","shape":[{{rows}},1],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Repeat(100, rows))}}]},
                       {"name":"hour","shape":[{{rows}},1],"datatype":"INT64","data":[{{string.Join(',', Enumerable.Repeat(7, rows))}}]}]}
            """;

        Assert.Equal(HttpStatusCode.OK, (await PostAsync(Rows(100))).Status);
        var (status, answer) = await PostAsync(Rows(101));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "the request has 101 rows, allowed 100: send them in several requests"), (status, answer.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task Binary_and_compressed_bodies_are_refused()
    {
        using var binary = new HttpRequestMessage(HttpMethod.Post, Infer) { Content = new StringContent(Row), Headers = { { "Inference-Header-Content-Length", "20" } } };
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.SendAsync(binary, Cancellation)).StatusCode);
        using var compressed = new HttpRequestMessage(HttpMethod.Post, Infer) { Content = new StringContent(Row) { Headers = { ContentEncoding = { "gzip" } } } };
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, (await client.SendAsync(compressed, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_body_in_many_pieces_is_read_whole()
    {
        using var socket = await ConnectAsync(server);
        var body = Row + "\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), Cancellation);
        foreach (var piece in body.Chunk(17))
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(piece), Cancellation);
            await Task.Yield();
        }

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReadToEndAsync(socket));
    }

    [Fact]
    public async Task A_client_that_goes_away_in_mid_request_harms_nobody()
    {
        await using var own = await InferenceServer.StartAsync(new InferenceOptions(), host, Cancellation);
        for (var i = 0; i < 20; i++)
        {
            using var socket = await ConnectAsync(own);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"POST {Infer} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{Row}"), Cancellation);
        }

        Assert.Equal(HttpStatusCode.OK, (await PostAsync(Row, new Uri(own.Url, Infer))).Status);
        await own.StopAsync();       // would wait for requests that are still counted
    }

    [Fact]
    public async Task Many_clients_at_once_get_their_own_answers()
    {
        var alone = new string[24];
        for (var hour = 0; hour < 24; hour++)
            alone[hour] = (await PostAsync(Row.Replace("[7]", $"[{hour}]"))).Answer.GetProperty("outputs").GetRawText();
        Assert.Equal(24, alone.Distinct().Count());
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancellation }, async (i, _) =>
        {
            var body = i % 7 == 0 ? Row.Replace("[7]", "[99]") : Row.Replace("[7]", $"[{i % 24}]").Replace("{\"inputs", $"{{\"id\":\"{i}\",\"inputs");
            var (status, answer) = await PostAsync(body);
            if (i % 7 == 0)
            {
                Assert.Equal(HttpStatusCode.BadRequest, status);
                return;
            }

            Assert.Equal((HttpStatusCode.OK, alone[i % 24], i.ToString()), (status, answer.GetProperty("outputs").GetRawText(), answer.GetProperty("id").GetString()));
        });
    }

    [Fact]
    public async Task Every_datatype_crosses_the_wire_and_an_asker_may_choose_outputs()
    {
        var specs = Enum.GetValues<Datatype>().Select(datatype => new TensorSpec(datatype.ToString().ToLowerInvariant(), datatype, [-1, 2], null, null)).ToArray();
        var signature = new ModelSignature([.. specs], [.. specs.Select(spec => spec with { Name = spec.Name + "_out" })]);
        await using var echo = await ModelHost.StartAsync(late.Models.Onnx("echo", signature), late.Models.Options, Cancellation);
        await using var own = await InferenceServer.StartAsync(new InferenceOptions(), echo, Cancellation);
        string[] wire = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP32", "FP64", "BYTES"];
        var tensors = specs.Select((spec, i) => $$"""{"name":"{{spec.Name}}","datatype":"{{wire[i]}}","shape":[1,2],"data":{{Data(spec.Datatype)}}}""").ToArray();
        var inputs = string.Join(',', tensors);

        var all = await PostAsync($$"""{"inputs":[{{inputs}}]}""", new Uri(own.Url, Infer));
        Assert.Equal(string.Join(',', tensors).Replace("\",\"datatype", "_out\",\"datatype"), all.Answer.GetProperty("outputs").GetRawText()[1..^1]);
        var chosen = await PostAsync($$"""{"outputs":[{"name":"string_out"},{"name":"bool_out"}],"inputs":[{{inputs}}]}""", new Uri(own.Url, Infer));
        Assert.Equal(["bool_out", "string_out"], chosen.Answer.GetProperty("outputs").EnumerateArray().Select(output => output.GetProperty("name").GetString()));

        static string Data(Datatype datatype) => datatype switch
        {
            Datatype.Bool => "[true,false]",
            Datatype.String => """["","a\u0022b"]""",
            Datatype.Float32 => "[0.1,-3E+38]",
            Datatype.Float64 => "[0.1,-1E+300]",
            Datatype.UInt64 => "[0,18446744073709551615]",
            Datatype.Int64 => "[-9223372036854775808,1]",
            _ => "[0,100]",
        };
    }

    [Fact]
    public async Task A_head_request_has_the_headers_and_no_body()
    {
        using var response = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/v2/health/ready"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        var e = await Assert.ThrowsAsync<SlipwayException>(() => InferenceServer.StartAsync(new InferenceOptions { Port = server.Url.Port }, host, Cancellation));
        Assert.Equal((ExitCode.NotThere, "port-in-use", $"port {server.Url.Port} of 127.0.0.1 is in use by another program"), (e.Exit, e.Faults[0].Code, e.Message));
    }

    [Fact]
    public async Task An_address_that_is_not_here_and_options_out_of_range_are_refused()
    {
        var away = await Assert.ThrowsAsync<SlipwayException>(() => InferenceServer.StartAsync(new InferenceOptions { Address = IPAddress.Parse("192.0.2.1") }, host, Cancellation));
        Assert.Equal((ExitCode.NotThere, "address-not-here"), (away.Exit, away.Faults[0].Code));
        var options = await Assert.ThrowsAsync<SlipwayException>(() => InferenceServer.StartAsync(new InferenceOptions { Port = 65536, BodyLimit = 0, RowLimit = 0 }, host, Cancellation));
        Assert.Equal((ExitCode.UnusableInput, 3), (options.Exit, options.Faults.Count));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<(HttpStatusCode Status, JsonElement Answer)> PostAsync(string body, Uri? url = null)
    {
        var content = new StringContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var response = await client.PostAsync(url ?? new Uri(server.Url, Infer), content, Cancellation);
        Assert.True(response.Headers.Contains(InferenceServer.BundleHeader));
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation)).RootElement);
    }

    private static async Task<string?> ErrorOf(HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
        return Assert.Single(document.RootElement.EnumerateObject(), property => property.Name == "error").Value.GetString();
    }

    private static async Task<Socket> ConnectAsync(InferenceServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.Url.Host, server.Url.Port, Cancellation);
        return socket;
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }
}
