using System.Collections.Frozen;
using System.Net;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Gateway.Protocol;
using Slipway.Gateway.Routing;
using Slipway.Runtime.ModelHosts;
using Slipway.Runtime.Tensors;
using Slipway.Tests.Runtime.ModelHosts;
using static Slipway.Tests.Gateway.GatewayTable;

namespace Slipway.Tests.Gateway.Protocol;

/// <summary>What callers of a gateway see of a rollout, and what the judge is told of them.</summary>
public sealed class RolloutServingTests
{
    [Fact]
    public async Task Callers_get_the_arm_that_their_key_says_and_the_answer_says_which()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var (stable, candidate) = (await gateway.ConstantAsync(1, 0.25), await gateway.ConstantAsync(2, 0.75));
        gateway.Serve(stable, candidate, 5000, key: "header:x-user-id");
        var splitter = new TrafficSplitter(Salt, 5000);
        var candidates = 0;
        for (var user = 0; user < 40; user++)
        {
            var expected = splitter.Assign(Encoding.UTF8.GetBytes($"u{user}")).Arm == Arm.Candidate;
            candidates += expected ? 1 : 0;
            using var response = await gateway.PostAsync(Row(1), headers: ("X-User-Id", $"u{user}"));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(expected ? "2 candidate" : "1 stable", $"{Header(response, "Slipway-Version")} {Header(response, "Slipway-Arm")}");
            Assert.Equal((expected ? candidate : stable).Version.Bundle.ToString(), Header(response, "Slipway-Bundle"));
            using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
            Assert.Equal((expected ? "2" : "1", expected ? 0.75 : 0.25), (body.RootElement.GetProperty("model_version").GetString(), body.RootElement.GetProperty("outputs")[0].GetProperty("data")[0].GetDouble()));
        }

        Assert.InRange(candidates, 10, 30);
        var told = gateway.Told();
        Assert.Equal([(Arm.Stable, 40 - candidates), (Arm.Candidate, candidates)], told.Counts.Select(count => (count.Arm, (int)count.Requests)));
        Assert.Empty(told.Bad);
    }

    [Theory]
    [InlineData("request-id", "\"id\":\"u-1\",", "u-1")]
    [InlineData("request-id", "", "from-header", "x-request-id", "from-header")]
    [InlineData("request-id", "\"id\":\"u-1\",", "u-1", "x-request-id", "from-header")]
    [InlineData("header:X-User", "", "me", "x-user", "me")]
    [InlineData("header:X-User", "\"id\":\"u-1\",", "u-1")]
    [InlineData("header:X-User", "\"id\":\"u-1\",", "u-1", "x-user", "")]
    [InlineData("body:user", "\"parameters\":{\"user\":\"Zo\\u00eb\"},", "Zoë")]
    [InlineData("body:user", "\"parameters\":{\"a\":1,\"user\":42.0},\"id\":\"u-1\",", "42.0")]
    [InlineData("body:user", "\"parameters\":{\"user\":true},\"id\":\"u-1\",", "u-1")]
    [InlineData("body:user", "\"parameters\":{\"user\":{\"user\":\"deep\"}},\"id\":\"u-1\",", "u-1")]
    [InlineData("body:user", "\"id\":\"u-1\",", "u-1")]
    public async Task The_key_is_found_where_the_plan_says_or_it_is_the_request_id(string key, string extra, string expected, string? header = null, string? value = null)
    {
        await using var gateway = await GatewayTable.StartAsync();
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        var bucket = (int)(new TrafficSplitter(Salt, 0).Assign(Encoding.UTF8.GetBytes(expected)).User % Weight.All);
        foreach (var (weight, arm) in new[] { (bucket, "stable"), (bucket + 1, "candidate") })
        {
            gateway.Serve(version, version, weight, key: key);
            using var response = await gateway.PostAsync(Row(1, extra), headers: header is null ? [] : [(header, value!)]);
            Assert.Equal((HttpStatusCode.OK, bucket == 0 && weight == 0 ? "stable" : arm), (response.StatusCode, Header(response, "Slipway-Arm")));
        }
    }

    [Fact]
    public async Task A_key_that_is_too_long_counts_as_missing()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(version, version, 2870, key: "body:user");     // u-2 has bucket 2869
        foreach (var (length, expected) in new[] { (KeySource.LongestKey, false), (KeySource.LongestKey + 1, true), (8 * KeySource.LongestKey, true) })
        {
            var user = new string('x', length);
            var isCandidate = expected || new TrafficSplitter(Salt, 2870).Assign(Encoding.UTF8.GetBytes(user)).Arm == Arm.Candidate;
            using var response = await gateway.PostAsync(Row(1, $"\"parameters\":{{\"user\":\"{user}\"}},\"id\":\"u-2\","));
            Assert.Equal(isCandidate ? "candidate" : "stable", Header(response, "Slipway-Arm"));
        }
    }

    [Fact]
    public async Task An_explicit_version_is_no_part_of_the_rollout()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var (stable, candidate, warm) = (await gateway.ConstantAsync(3, 0.3), await gateway.ConstantAsync(4, 0.4), await gateway.ConstantAsync(2, 0.2));
        gateway.Serve(stable, candidate, 10_000, warm: [warm]);
        foreach (var (number, answer) in new[] { (2, "0.2"), (3, "0.3"), (4, "0.4") })
        {
            using var response = await gateway.PostAsync(Row(1), $"/v2/models/flight-delay/versions/{number}/infer");
            Assert.Equal($"{number} none", $"{Header(response, "Slipway-Version")} {Header(response, "Slipway-Arm")}");
            Assert.Contains($"\"data\":[{answer}]", await response.Content.ReadAsStringAsync(Cancellation));
        }

        Assert.Empty(gateway.Told().Counts);
        Assert.Equal((HttpStatusCode.NotFound, "model 'flight-delay' has no version '5' here; it has '2', '3', '4'"), await gateway.AskAsync(Row(1), "/v2/models/flight-delay/versions/5/infer"));
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.AskAsync(Row(1), "/v2/models/flight-delay/versions/04/infer")).Status);
        Assert.Contains("\"versions\":[\"2\",\"3\",\"4\"]", await gateway.Client.GetStringAsync("/v2/models/flight-delay", Cancellation));
    }

    [Fact]
    public async Task Switching_versions_loses_no_request()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var current = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(current);
        using var stop = new CancellationTokenSource();
        var answers = 0;
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var seen = new HashSet<string>();
            while (!stop.IsCancellationRequested)
            {
                using var response = await gateway.PostAsync(Row(1));
                Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Cancellation));
                seen.Add(Header(response, "Slipway-Version")!);
                Interlocked.Increment(ref answers);
            }

            return seen;
        })).ToArray();
        for (var number = 2; number <= 12; number++)
        {
            var next = await gateway.LoadAsync(number, gateway.Models.Onnx("late", HostedModels.Late));
            var before = Volatile.Read(ref answers);
            gateway.Serve(next);
            gateway.Retire(current);
            current = next;
            while (Volatile.Read(ref answers) < before + 20 && !Array.Exists(clients, client => client.IsFaulted))
                await Task.Delay(1, Cancellation);
        }

        await stop.CancelAsync();
        var versions = (await Task.WhenAll(clients)).SelectMany(seen => seen).Distinct().Count();
        Assert.True(versions >= 11, $"{versions} versions answered");
    }

    /// <summary>As fast as can be: most requests find their version retired between the look at the table and the entry.</summary>
    [Fact]
    public async Task A_request_whose_version_is_retired_meanwhile_looks_again()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var loaded = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        var current = new ServedVersion(loaded.Version, new Lent(loaded.Host));
        gateway.Serve(current);
        using var stop = new CancellationTokenSource();
        var switching = Task.Run(() =>
        {
            for (var number = 2; !stop.IsCancellationRequested; number++)
            {
                var before = current;
                current = new ServedVersion(loaded.Version with { Number = number }, new Lent(loaded.Host));
                gateway.Serve(current);
                before.RetireAsync();
            }
        });
        await Parallel.ForAsync(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, async (_, _) =>
            Assert.Equal(HttpStatusCode.OK, (await gateway.AskAsync(Row(1))).Status));
        await stop.CancelAsync();
        await switching;
        gateway.Serve(loaded);
        await current.RetireAsync();
    }

    [Fact]
    public async Task A_version_that_is_retired_and_still_in_the_table_is_refused_for_now()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var version = await gateway.LoadAsync(1, gateway.Models.Onnx("late", HostedModels.Late));
        gateway.Serve(version);
        gateway.Retire(version);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the model's version is being taken away"), await gateway.AskAsync(Row(1)));
    }

    [Fact]
    public async Task Each_way_to_fail_is_an_event_of_its_kind_and_what_the_caller_did_is_none()
    {
        const string script = """
            import os, time
            if os.path.exists("again"):
                while not os.path.exists("go"): time.sleep(0.01)
            open("again", "w").close()
            def predict(inputs):
                hour = inputs["hour"][0][0]
                if hour == 13: os._exit(3)
                if hour == 14: time.sleep(60)
                if hour == 15: raise ValueError("no")
                if hour == 16: return {"probability": [[float("nan")]]}
                if hour == 17: time.sleep(0.3)
                return {"probability": [[0.5]]}
            """;
        await using var gateway = await GatewayTable.StartAsync(new InferenceOptions { RowLimit = 1 });
        var stable = await gateway.ConstantAsync(1, 0.25);
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict(script), gateway.Models.Options with { PredictionLimit = TimeSpan.FromSeconds(5) });
        gateway.Serve(stable, candidate, 10_000, budget: TimeSpan.FromMilliseconds(250));
        await EventAsync(15, HttpStatusCode.InternalServerError, BadKind.Error);
        await EventAsync(16, HttpStatusCode.InternalServerError, BadKind.InvalidOutput);
        await EventAsync(17, HttpStatusCode.OK, BadKind.Latency);
        // Who gives up before the answer would be late has shown nothing of the version.
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await gateway.AskAsync(Row(17), headers: ("Slipway-Timeout-Ms", "50"))).Status);
        Assert.Equal((0, 0), (gateway.Told().Bad.Length, gateway.Told().Counts.Length));
        await EventAsync(13, HttpStatusCode.InternalServerError, BadKind.Error);
        while (candidate.Host.NotReady is null)
            await Task.Delay(1, Cancellation);
        await EventAsync(1, HttpStatusCode.ServiceUnavailable, BadKind.Error);      // its process is started again
        File.WriteAllText(Path.Combine(candidate.Host.Model.Folder, "go"), "");
        while (candidate.Host.NotReady is not null)
            await Task.Delay(10, Cancellation);
        await EventAsync(14, HttpStatusCode.GatewayTimeout, BadKind.Timeout, ("Slipway-Timeout-Ms", "400"));

        foreach (var (body, status) in new[] { ("{", 400), (Row(24), 400), (Row(1) + " ", 200), ("{\"inputs\":[]}", 400) })
            Assert.Equal(status, (int)(await gateway.AskAsync(body, "/v2/models/flight-delay/versions/1/infer")).Status);
        foreach (var body in new[] { "{", Row(24), "{\"inputs\":[]}", "" })
            Assert.Equal(HttpStatusCode.BadRequest, (await gateway.AskAsync(body)).Status);
        Assert.Equal((0, 0), (gateway.Told().Bad.Length, gateway.Told().Counts.Length));

        async Task EventAsync(int hour, HttpStatusCode status, BadKind kind, params (string, string)[] headers)
        {
            var (found, answer) = await gateway.AskAsync(Row(hour, "\"id\":\"u-1\","), headers: headers);
            Assert.True(status == found, $"{hour}: {found} {answer}");
            var told = gateway.Told();
            Assert.Equal((kind, Arm.Candidate, "b8e80abe26e1f68d", 10_001L), told.Bad.Select(bad => (bad.Kind, bad.Arm, bad.User, bad.WeightRevision)).Single());
            Assert.Equal(1, told.Counts.Single().Requests);
            Assert.Equal(kind == BadKind.Latency ? 0 : 1, told.Counts.Single().Latency[^1]);
        }
    }

    [Fact]
    public async Task A_client_that_went_away_takes_nothing_from_the_evidence()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var go = Path.Combine(gateway.Models.NewFolder(), "go");
        var begun = go + ".begun";
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict($$"""
            import os, time
            def predict(inputs):
                open("{{begun}}", "w").close()
                while not os.path.exists("{{go}}"): time.sleep(0.01)
                raise ValueError("no")
            """));
        gateway.Serve(null, candidate, 10_000);
        using var leaving = new CancellationTokenSource();
        var asking = gateway.Client.PostAsync(Infer, new StringContent(Row(1)), leaving.Token);
        while (!File.Exists(begun))
            await Task.Delay(10, Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Empty(gateway.Told().Bad);
        File.WriteAllText(go, "");
        var told = gateway.Told();
        while (told.Bad.Length == 0)
        {
            await Task.Delay(10, Cancellation);
            told = gateway.Told();
        }

        Assert.Equal(BadKind.Error, told.Bad.Single().Kind);
    }

    [Fact]
    public async Task Arms_with_different_signatures_are_each_read_by_their_own()
    {
        var wide = new ModelSignature([.. HostedModels.Late.Inputs, new TensorSpec("month", Datatype.Int64, [-1, 1], null, null)], HostedModels.Late.Outputs);
        await using var gateway = await GatewayTable.StartAsync();
        var stable = await gateway.ConstantAsync(1, 0.25);
        var candidate = await gateway.LoadAsync(2, gateway.Models.Predict("def predict(inputs): return {'probability': [[inputs['month'][0][0] / 100]]}", wide));
        gateway.Serve(stable, candidate, 3000, key: "body:user");       // u-2 has bucket 2869, u-1 has 9341
        var withMonth = Row(1).Replace("\"inputs\":[", "\"inputs\":[{\"name\":\"month\",\"shape\":[1,1],\"datatype\":\"INT64\",\"data\":[7]},");
        Assert.Equal((HttpStatusCode.OK, "0.25"), await gateway.AskAsync(Row(1, "\"parameters\":{\"user\":\"u-1\"},")));
        Assert.Equal((HttpStatusCode.OK, "0.07"), await gateway.AskAsync(withMonth.Replace("{\"inputs\"", "{\"parameters\":{\"user\":\"u-2\"},\"inputs\"")));
        Assert.Empty(gateway.Told().Bad);

        // The stable version would have answered this caller: that the candidate does not is its fault. What neither would is the caller's.
        Assert.Equal((HttpStatusCode.BadRequest, "input 'month' is missing; the signature has 'distance' FP32, 'hour' INT64, 'month' INT64"), await gateway.AskAsync(Row(1, "\"parameters\":{\"user\":\"u-2\"},")));
        Assert.Equal((Arm.Candidate, BadKind.Error), gateway.Told().Bad.Select(bad => (bad.Arm, bad.Kind)).Single());
        foreach (var body in new[] { Row(24, "\"parameters\":{\"user\":\"u-2\"},"), "{", "{\"parameters\":7}", "[]" })
            Assert.Equal(HttpStatusCode.BadRequest, (await gateway.AskAsync(body)).Status);
        Assert.Empty(gateway.Told().Bad);
    }

    [Fact]
    public async Task Before_a_first_release_the_model_is_known_and_answers_nothing()
    {
        await using var gateway = await GatewayTable.StartAsync();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"ready":false,"error":"this gateway was not told yet what to serve"}"""), await GetAsync("/v2/health/ready"));
        Assert.Equal((HttpStatusCode.NotFound, "there is no model 'flight-delay' here; this server answers for none yet"), await gateway.AskAsync(Row(1)));

        gateway.Serve(null);
        Assert.Equal((HttpStatusCode.OK, """{"ready":true}"""), await GetAsync("/v2/health/ready"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "no version of model 'flight-delay' is released here yet"), await gateway.AskAsync(Row(1)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/v2/models/flight-delay")).Status);

        gateway.Serve(null, unready: "version 1 is being fetched");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"ready":false,"error":"model \u0027flight-delay\u0027: version 1 is being fetched"}"""), await GetAsync("/v2/health/ready"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"name":"flight-delay","ready":false,"error":"version 1 is being fetched"}"""), await GetAsync("/v2/models/flight-delay/ready"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "version 1 is being fetched"), await gateway.AskAsync(Row(1)));

        async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
        {
            using var response = await gateway.Client.GetAsync(path, Cancellation);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
        }
    }

    [Fact]
    public async Task Two_models_are_told_apart_by_their_paths()
    {
        await using var gateway = await GatewayTable.StartAsync();
        var (a, b) = (await gateway.ConstantAsync(1, 0.25), await gateway.ConstantAsync(7, 0.75));
        gateway.Replace(Route("a", a), Route("b", b));
        Assert.Equal((HttpStatusCode.OK, "0.25"), await gateway.AskAsync(Row(1), "/v2/models/a/infer"));
        Assert.Equal((HttpStatusCode.OK, "0.75"), await gateway.AskAsync(Row(1), "/v2/models/b/infer"));
        Assert.Equal((HttpStatusCode.OK, "0.75"), await gateway.AskAsync(Row(1), "/v2/models/b/versions/7/infer"));
        Assert.Equal((HttpStatusCode.NotFound, "there is no model 'c' here; this server answers for 'a', 'b'"), await gateway.AskAsync(Row(1), "/v2/models/c/infer"));
        Assert.Null(Header(await gateway.Client.GetAsync("/v2", Cancellation), "Slipway-Bundle"));

        static LiveRoute Route(string model, ServedVersion version) => new(model, version, null, new Dictionary<int, ServedVersion> { [version.Version.Number] = version }.ToFrozenDictionary(), null);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A host that outlives the version.</summary>
    private sealed class Lent(IModelHost host) : IModelHost
    {
        public HostedModel Model => host.Model;

        public string? NotReady => host.NotReady;

        public Task WaitUntilReadyAsync(CancellationToken cancellation) => host.WaitUntilReadyAsync(cancellation);

        public ValueTask<Prediction> PredictAsync(TensorSet inputs, TensorSet outputs, TimeSpan limit, CancellationToken cancellation) => host.PredictAsync(inputs, outputs, limit, cancellation);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
