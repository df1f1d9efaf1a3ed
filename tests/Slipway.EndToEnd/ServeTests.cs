using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Slipway.EndToEnd;

public sealed class ServeTests(SealedProject original) : IClassFixture<SealedProject>
{
    [Fact]
    public async Task A_verified_bundle_answers_predictions_and_stops_gracefully()
    {
        using var server = original.Project.Start("serve", "tiny", "--port", "0");
        using var client = new HttpClient { BaseAddress = await UrlOf(server) };
        var body = new { inputs = new[] { new { name = "x", datatype = "FP32", shape = new[] { 2, 1 }, data = new[] { 0.05, 0.95 } } } };
        using var answer = await client.PostAsJsonAsync("v2/models/tiny/infer", body, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([original.Digest], answer.Headers.GetValues("Slipway-Bundle"));

        var rates = JsonDocument.Parse(File.ReadAllText(original.Project.PathOf("build/model/rates.json"))).RootElement;
        var output = (await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("outputs")[0];
        Assert.Equal("probability", output.GetProperty("name").GetString());
        Assert.Equal((float)rates[0].GetDouble(), output.GetProperty("data")[0].GetSingle());
        Assert.Equal((float)rates[9].GetDouble(), output.GetProperty("data")[1].GetSingle());

        var outside = new { inputs = new[] { new { name = "x", datatype = "FP32", shape = new[] { 1, 1 }, data = new[] { 7.0 } } } };
        using var refused = await client.PostAsJsonAsync("v2/models/tiny/infer", outside, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("error", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        Process.Start("kill", ["-TERM", server.Id.ToString()]).WaitForExit();
        Assert.True(server.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, server.ExitCode);
    }

    [Fact]
    public async Task A_server_that_is_killed_takes_its_model_with_it()
    {
        using var server = original.Project.Start("serve", "tiny", "--port", "0");
        await UrlOf(server);
        var model = Children(server.Id).SelectMany(child => Children(child).Prepend(child)).ToList();
        Assert.NotEmpty(model);
        server.Kill();
        server.WaitForExit();
        for (var i = 0; i < 100 && model.Any(IsAlive); i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(model, IsAlive);
    }

    [Fact]
    public async Task What_a_killed_server_left_in_the_temporary_folder_goes_at_the_next_start_and_a_living_ones_stays()
    {
        var temporary = Directory.CreateTempSubdirectory("slipway-tmp-").FullName;
        original.Project.Variables["TMPDIR"] = temporary;
        try
        {
            using var living = original.Project.Start("serve", "tiny", "--port", "0");
            await UrlOf(living);
            var stays = Directory.GetDirectories(temporary);
            using var killed = original.Project.Start("serve", "tiny", "--port", "0");
            await UrlOf(killed);
            killed.Kill();
            killed.WaitForExit();
            var left = Directory.GetDirectories(temporary).Except(stays).ToList();
            Assert.Equal((2, 2), (stays.Length, left.Count));
            // A start leaves the young ones alone.
            foreach (var folder in stays.Concat(left))
                Directory.SetLastWriteTimeUtc(folder, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-2));
            using var next = original.Project.Start("serve", "tiny", "--port", "0");
            await UrlOf(next);
            Assert.All(left, folder => Assert.False(Directory.Exists(folder), folder));
            Assert.All(stays, folder => Assert.True(Directory.Exists(folder), folder));
            foreach (var server in new[] { living, next })
            {
                Process.Start("kill", ["-TERM", server.Id.ToString()]).WaitForExit();
                Assert.True(server.WaitForExit(TimeSpan.FromSeconds(30)));
            }

            Assert.Empty(Directory.GetDirectories(temporary));
        }
        finally
        {
            original.Project.Variables.Remove("TMPDIR");
            Directory.Delete(temporary, recursive: true);
        }
    }

    [Fact]
    public void A_port_in_use_is_named()
    {
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString();
        var serve = original.Project.Run("serve", "tiny", "--port", port);
        taken.Stop();
        Assert.True(serve.Code == 3, serve.All);
        Assert.Contains(port, serve.Errors);
    }

    [Fact]
    public void A_spoilt_bundle_is_not_served()
    {
        var copy = Directory.CreateTempSubdirectory("slipway-layout-").FullName;
        TinyProject.CopyFolder(original.Layout, copy);
        var weights = JsonDocument.Parse(File.ReadAllText(Path.Combine(copy, "blobs/sha256", original.Digest[7..]))).RootElement.GetProperty("layers")[0].GetProperty("digest").GetString()![7..];
        var blob = Path.Combine(copy, "blobs/sha256", weights);
        File.SetUnixFileMode(blob, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = File.ReadAllBytes(blob);
        bytes[600] ^= 1;
        File.WriteAllBytes(blob, bytes);
        var serve = original.Project.Run("serve", $"oci:{copy}:tiny", "--port", "0");
        Directory.Delete(copy, recursive: true);
        Assert.True(serve.Code == 1, serve.All);
    }

    private static async Task<Uri> UrlOf(Process server)
    {
        while (await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } url)
                return new Uri(url.TrimEnd('/') + "/");
        }

        throw new InvalidOperationException("the server printed no URL: " + await server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    private static IEnumerable<int> Children(int id) =>
        Directory.EnumerateDirectories($"/proc/{id}/task")
            .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(int.Parse);

    private static bool IsAlive(int id)
    {
        try
        {
            return !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }
}
