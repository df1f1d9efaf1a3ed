using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Tests.Runtime.ModelHosts;

public sealed class ProcessHostTests : IDisposable
{
    /// <summary>Adds the model's file to the hour's share of the day; hours stand for the things that go wrong.</summary>
    private const string Troubled = """
        import os, sys, time
        base = None
        def load():
            global base
            base = float(open(os.environ["SLIPWAY_MODEL"]).read())
        def predict(inputs):
            hours = [row[0] for row in inputs["hour"]]
            if 13 in hours:
                print("thirteen", file=sys.stderr)
                os._exit(3)
            if 14 in hours:
                time.sleep(60)
            if 15 in hours:
                raise ValueError("secret of the request")
            if 16 in hours:
                return {"probability": [[7.0] for h in hours]}
            if 17 in hours:
                return {"chance": [[0.5] for h in hours]}
            if 18 in hours:
                return {"probability": [[float("nan")] for h in hours]}
            if 19 in hours:
                return {"probability": [[0.5]] * (len(hours) + 1)}
            if 20 in hours:
                return {"probability": [[0.5], [0.5, 0.5]]}
            if 21 in hours:
                return 0.5
            return {"probability": [[base + h / 100] for h in hours]}
        """;

    private readonly HostedModels models = new();

    public void Dispose() => models.Dispose();

    [Fact]
    public async Task A_python_function_answers()
    {
        await using var host = await Ready(models.Predict(Troubled));
        Assert.Null(host.NotReady);
        var (prediction, answer) = await HostedModels.AskAsync(host, 1, 12);
        Assert.Equal(new Prediction(PredictionStatus.Done, null), prediction);
        Assert.Equal([0.26f, 0.37f], answer);
    }

    [Theory]
    [InlineData(15, "the model's process failed: predict raised ValueError; the model's log has the rest")]
    [InlineData(16, "the model's process answered nonsense: output 'probability': element 0 is 7, allowed 0 to 1")]
    [InlineData(17, "the model's process failed: predict returned no 'probability'; it returned 'chance'")]
    [InlineData(18, "the model's process failed: predict returned NaN or an infinity as 'probability'")]
    [InlineData(19, "the model's process answered nonsense: output 'probability' has 2 rows for 1 of input")]
    [InlineData(20, "the model's process failed: predict returned lists of unequal length")]
    [InlineData(21, "the model's process failed: predict returned float, expected a dict of outputs")]
    public async Task A_wrong_answer_is_told_apart_and_the_process_lives_on(int hour, string reason)
    {
        await using var host = await Ready(models.Predict(Troubled));
        var nonsense = !reason.Contains("raised", StringComparison.Ordinal);
        Assert.Equal(nonsense ? Prediction.InvalidOutput(reason) : Prediction.Failed(reason), (await HostedModels.AskAsync(host, hour)).Prediction);
        Assert.Equal(PredictionStatus.Done, (await HostedModels.AskAsync(host, 1)).Prediction.Status);
        Assert.Equal(1, models.Log.Count(line => line.EndsWith("is ready", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_crash_fails_its_request_and_the_process_is_started_again()
    {
        await using var host = await Ready(models.Predict(Troubled));
        Assert.Equal(Prediction.Failed("the model's process exited with 3 while it answered; it is started again"), (await HostedModels.AskAsync(host, 13)).Prediction);
        var next = await AskUntilDoneAsync(host);
        Assert.All(next, reason => Assert.Contains("the model's process", reason));
        Assert.Contains(models.Log, line => line.Contains("exited with 3") && line.Contains("thirteen"));
    }

    [Fact]
    public async Task A_hang_fails_its_request_and_the_process_is_ended_and_started_again()
    {
        await using var host = await Ready(models.Predict(Troubled), models.Options with { PredictionLimit = TimeSpan.FromSeconds(2) });
        var (prediction, _) = await HostedModels.AskAsync(host, 14);
        Assert.Equal(Prediction.TimedOut("the model's process did not answer within 2 s; it is started again"), prediction);
        await AskUntilDoneAsync(host);
        Assert.Contains(models.Log, line => line.Contains("did not answer within 2 s, and was ended"));
    }

    [Fact]
    public async Task A_slow_start_is_live_and_not_ready_until_it_is()
    {
        var flag = Path.Combine(models.NewFolder(), "go");
        var script = $"import os, time\nwhile not os.path.exists('{flag}'):\n    time.sleep(0.02)\n" + Troubled;
        await using var host = await ModelHost.StartAsync(models.Predict(script), models.Options, Cancellation);
        Assert.Equal(Prediction.NotReady("the model's process is starting"), (await HostedModels.AskAsync(host, 1)).Prediction);
        Assert.Equal("the model's process is starting", host.NotReady);
        File.WriteAllText(flag, "");
        await host.WaitUntilReadyAsync(Cancellation);
        Assert.Equal(PredictionStatus.Done, (await HostedModels.AskAsync(host, 1)).Prediction.Status);
    }

    [Theory]
    [InlineData("import time\ntime.sleep(60)", "model-start-too-slow", "was not ready within 1 s, and was ended")]
    [InlineData("raise RuntimeError('no such thing')", "model-process-ended", "RuntimeError: no such thing")]
    [InlineData("def predikt(inputs): pass", "model-process-ended", "serve/predict.py has no function predict(inputs)")]
    public async Task A_first_start_that_fails_says_how(string script, string code, string message)
    {
        var options = models.Options with { StartLimit = TimeSpan.FromSeconds(code == "model-start-too-slow" ? 1 : 60) };
        await using var host = await ModelHost.StartAsync(models.Predict(script), options, Cancellation);
        var e = await Assert.ThrowsAsync<SlipwayException>(() => host.WaitUntilReadyAsync(Cancellation));
        Assert.Equal((ExitCode.UnusableInput, code), (e.Exit, e.Faults[0].Code));
        Assert.Contains(message, e.Message);
        Assert.NotNull(host.NotReady);
    }

    [Fact]
    public async Task A_command_that_is_not_there_says_so()
    {
        await using var host = await ModelHost.StartAsync(models.Command(["no-such-command"], "", null), models.Options, Cancellation);
        var e = await Assert.ThrowsAsync<SlipwayException>(() => host.WaitUntilReadyAsync(Cancellation));
        Assert.Equal((ExitCode.NotThere, "command-not-found"), (e.Exit, e.Faults[0].Code));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\n{\"outputs", "the model's process answered nonsense: no JSON (line 1, byte 10)")]
    [InlineData("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}", "the model's process answered nonsense: no outputs")]
    [InlineData("HTTP/1.1 200 OK\\r\\nContent-Length: 16\\r\\n\\r\\n{\"\\\\ud800aa\": []}", "the model's process answered nonsense: no JSON (a string is no valid Unicode)")]
    [InlineData("HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n[]", "the model's process answered nonsense: no JSON object")]
    [InlineData("HTTP/1.1 500 No\\r\\nContent-Length: 4\\r\\n\\r\\noops", "the model's process answered nonsense: status 500 without the protocol's error text")]
    [InlineData("HTTP/1.1 400 No\\r\\nContent-Length: 15\\r\\n\\r\\n{\"error\":\"why\"}", "the model's process failed: why")]
    [InlineData("complete rubbish\\r\\n\\r\\n", "the model's process broke the connection while it answered")]
    [InlineData("", "the model's process broke the connection while it answered")]
    public async Task A_server_that_talks_nonsense_is_told_apart(string answer, string reason)
    {
        await using var host = await Ready(models.Python(Raw(answer)));
        var expected = answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? Prediction.InvalidOutput(reason) : Prediction.Failed(reason);
        Assert.Equal(expected, (await HostedModels.AskAsync(host, 1)).Prediction);
    }

    [Fact]
    public async Task A_process_sees_a_clean_environment_and_its_own_folder()
    {
        Environment.SetEnvironmentVariable("SLIPWAY_TEST_SECRET", "leaks");
        await using var host = await Ready(models.Predict("""
            import json, os
            open("seen.json", "w").write(json.dumps(dict(os.environ)))
            def predict(inputs): return {"probability": inputs["distance"]}
            """));
        var seen = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(host.Model.Folder, "seen.json"))).RootElement;
        Assert.False(seen.TryGetProperty("SLIPWAY_TEST_SECRET", out _));
        Assert.Equal(("/usr/local/bin:/usr/bin:/bin", "UTC", "1"), (Text("PATH"), Text("TZ"), Text("OMP_NUM_THREADS")));
        Assert.Equal(host.Model.ModelPath, Text("SLIPWAY_MODEL"));
        Assert.StartsWith(Path.GetDirectoryName(Text("SLIPWAY_SOCKET"))!, Text("HOME"));

        string Text(string name) => seen.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task Arrays_and_plain_columns_are_taken_as_answers()
    {
        await using var host = await Ready(models.Predict("""
            import numpy
            def predict(inputs):
                hours = numpy.array(inputs["hour"])
                assert hours.shape == (len(inputs["hour"]), 1)
                return {"probability": hours[:, 0] / numpy.float32(100)}
            """));
        var (prediction, answer) = await HostedModels.AskAsync(host, 3, 4, 5);
        Assert.Equal(Prediction.Done, prediction);
        Assert.Equal([0.03f, 0.04f, 0.05f], answer);
    }

    [Fact]
    public async Task Many_ask_at_once_and_each_gets_his_own_answer()
    {
        await using var host = await Ready(models.Predict(Troubled));
        await Parallel.ForAsync(0, 100, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancellation }, async (i, _) =>
        {
            var (prediction, answer) = await HostedModels.AskAsync(host, i % 12);
            Assert.Equal(Prediction.Done, prediction);
            Assert.Equal(0.25f + i % 12 / 100f, answer[0], 1e-6f);
        });
    }

    [Fact]
    public async Task The_end_of_the_host_is_the_end_of_the_process_and_its_folder()
    {
        var host = await Ready(models.Predict(Troubled));
        var id = models.Log.Select(line => line.Split(' ')).Single(words => words[^1] == "ready")[3];
        Assert.True(Directory.Exists($"/proc/{id}"));
        await host.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{id}"));
        Assert.Equal(PredictionStatus.NotReady, (await HostedModels.AskAsync(host, 1)).Prediction.Status);
    }

    [Fact]
    public async Task The_shim_answers_what_is_in_flight_before_it_ends()
    {
        var folder = models.NewFolder();
        var (begun, go) = (Path.Combine(folder, "begun"), Path.Combine(folder, "go"));
        var host = await Ready(models.Predict($$"""
            import os, time
            def predict(inputs):
                open("{{begun}}", "w").close()
                while not os.path.exists("{{go}}"): time.sleep(0.02)
                return {"probability": [[0.5]]}
            """));
        var asked = HostedModels.AskAsync(host, 1);
        while (!File.Exists(begun))
            await Task.Delay(10, Cancellation);
        var ending = host.DisposeAsync();
        File.WriteAllText(go, "");
        Assert.Equal(Prediction.Done, (await asked).Prediction);
        await ending;
    }

    [Fact]
    public void Pauses_between_starts_grow_to_half_a_minute()
    {
        var pauses = Enumerable.Range(1, 12).Select(failures => RestartPolicy.PauseAfter(failures).TotalSeconds);
        Assert.Equal([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30], pauses);
        Assert.Equal(30, RestartPolicy.PauseAfter(int.MaxValue).TotalSeconds);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<IModelHost> Ready(HostedModel model, HostOptions? options = null)
    {
        var host = await ModelHost.StartAsync(model, options ?? models.Options, Cancellation);
        await host.WaitUntilReadyAsync(Cancellation);
        return host;
    }

    /// <returns>What was said while it was not ready.</returns>
    private static async Task<List<string>> AskUntilDoneAsync(IModelHost host)
    {
        var reasons = new List<string>();
        while (true)
        {
            var (prediction, _) = await HostedModels.AskAsync(host, 1);
            if (prediction.Status == PredictionStatus.Done)
                return reasons;
            reasons.Add(prediction.Reason!);
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>A server that is ready, and answers everything else with the given bytes before it closes the connection.</summary>
    private static string Raw(string answer) => $$"""
        import os, socket
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.environ["SLIPWAY_SOCKET"])
        server.listen()
        while True:
            connection = server.accept()[0]
            request = connection.recv(65536)
            if b"/health/ready" in request:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                connection.sendall(b'{{answer}}')
            connection.close()
        """;
}
