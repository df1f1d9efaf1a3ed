using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Slipway.EndToEnd;

/// <summary>The ledger as people see it, over a server's real database, with somebody at work behind its back.</summary>
public sealed class AuditTests : IDisposable
{
    private readonly TinyProject project = new();
    private readonly int port = FreePort();
    private Process? server;

    public AuditTests() => StartServer();

    public void Dispose()
    {
        StopServer();
        project.Dispose();
    }

    [Fact]
    public void A_ledger_is_listed_verified_proven_exported_and_erased()
    {
        var list = project.Run("audit");
        Assert.True(list.Code == 0, list.All);
        Assert.Contains("principal.created", list.Output);
        Assert.Contains("There was no administrator.", list.Output);
        Assert.Equal(2, project.Run("audit", "list", "--json", "--action", "token").Json.GetProperty("entries").GetArrayLength());

        var first = Passes("audit", "verify");
        Assert.Contains("4 entries", first.Output);
        Assert.Contains("no checkpoint to compare with", first.Output);
        Assert.Contains("compare it once", first.Errors);
        Assert.Contains("#0, #1; entry #5", Passes("audit", "erase", "1", "--reason", "asked to").Output);
        var again = Passes("audit", "verify");
        Assert.Contains("continues 1 earlier checkpoint", again.Output);
        Assert.Contains("4 as committed to, 2 erased", again.Output);
        Assert.DoesNotContain("compare it once", again.Errors);
        Assert.DoesNotContain("There was no administrator.", project.Run("audit").Output);

        Assert.Contains("wrote     erasure.tlog-proof", Passes("audit", "prove", "5", "-o", "erasure.tlog-proof", "--payload").Output);
        Assert.Contains("asked to", Passes("audit", "check", "erasure.tlog-proof").Output);
        Passes("audit", "export", "copy");
        Passes("audit", "verify", "--folder", "copy", "--checkpoint", "mirror/checkpoint", "--key", "mirror/key");
        Assert.Contains("c2sp.org/tlog-proof@v1", File.ReadAllText(project.PathOf("erasure.tlog-proof")));
    }

    [Fact]
    public void A_proof_is_checked_without_the_server_and_a_changed_one_fails()
    {
        Passes("audit", "verify");
        Passes("audit", "prove", "1");
        StopServer();
        var (key, proof) = (project.PathOf("mirror/key"), File.ReadAllBytes(project.PathOf("1.tlog-proof")));
        Passes("audit", "check", "1.tlog-proof");
        // Another digit of the signature's base64, which is still base64.
        proof[^20] = (byte)(proof[^20] == 'A' ? 'B' : 'A');
        File.WriteAllBytes(project.PathOf("changed.tlog-proof"), proof);
        Fails(1, "has signed", "audit", "check", "changed.tlog-proof");
        File.WriteAllText(project.PathOf("none.tlog-proof"), "no proof");
        Fails(1, "is no proof", "audit", "check", "none.tlog-proof");
        Fails(2, "is no file", "audit", "check", "nowhere.tlog-proof");

        // Somebody else's machine knows no key, and is given one.
        project.Home = Directory.CreateTempSubdirectory("slipway-home-").FullName;
        Fails(3, "is not known here", "audit", "check", "1.tlog-proof");
        Passes("audit", "check", "1.tlog-proof", "--key", key);
        Passes("audit", "check", "1.tlog-proof", "--key", File.ReadAllText(key).Trim());
        Fails(2, "expected a verifier key", "audit", "check", "1.tlog-proof", "--key", "nonsense");
        Fails(3, "does not answer", "audit", "verify");
    }

    /// <summary>The program on the page about the format, which has nothing of ours.</summary>
    [Fact]
    public void A_proof_is_checked_without_slipway()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Folder, "docs/format/ledger.md"));
        File.WriteAllText(project.PathOf("check.py"), page.Split("```python\n")[1].Split("```")[0]);
        Passes("audit", "verify");
        for (var erased = 1; erased < 7; erased += 2)
            Passes("audit", "erase", erased.ToString(), "--reason", "Grüße \u2028 \"'\\");
        var key = File.ReadAllText(project.PathOf("mirror/key")).Trim();
        foreach (var index in (int[])[0, 1, 5, 9])
        {
            Passes("audit", "prove", index.ToString(), "-o", "proof", "--payload");
            var (code, output) = Python("check.py", "proof", key);
            Assert.True(code == 0 && output.Contains($"entry {index} of 10 in slipway/ledger/", StringComparison.Ordinal), output);
        }

        File.WriteAllText(project.PathOf("proof"), File.ReadAllText(project.PathOf("proof")).Replace("index 9", "index 8", StringComparison.Ordinal));
        Assert.NotEqual(0, Python("check.py", "proof", key).Code);
    }

    [Theory]
    [InlineData("UPDATE ledger_entries SET leaf = CAST(replace(CAST(leaf AS TEXT), 'token.issued', 'token.stolen') AS BLOB) WHERE position = 2", "entry 2 is not the one")]
    [InlineData("UPDATE ledger_hashes SET hash = zeroblob(32) WHERE position = 2", "entry 2 is not the one")]
    [InlineData("UPDATE ledger_entries SET payload = replace(payload, 'server', 'nobody') WHERE position = 3", "payload of entry 3")]
    [InlineData("UPDATE ledger_entries SET payload = NULL WHERE position = 3", "payload of entry 3 is gone")]
    [InlineData("DELETE FROM ledger_subjects WHERE position = 3; DELETE FROM ledger_entries WHERE position = 3", "3 of its 4 rows")]
    [InlineData("UPDATE ledger_entries SET position = 99 WHERE position = 1; UPDATE ledger_entries SET position = 1 WHERE position = 3; UPDATE ledger_entries SET position = 3 WHERE position = 99", "entries 1, 3 stand in another order")]
    [InlineData("UPDATE ledger_log SET checkpoint = replace(checkpoint, 'AA', 'BB') || 'x'", "checkpoint is not one that this log has signed")]
    public void A_database_that_was_changed_behind_the_servers_back_fails(string sql, string message)
    {
        Passes("audit", "verify");
        Edit(sql);
        Fails(1, message, "audit", "verify");
        Assert.Equal("fail", project.Run("audit", "verify", "--json").Json.GetProperty("verdict").GetString());
    }

    [Fact]
    public void A_database_that_was_put_back_fails_by_what_is_remembered_and_by_the_mirror()
    {
        StopServer();
        File.Copy(project.PathOf("server/server.db"), project.PathOf("old.db"));
        StartServer();
        Passes("audit", "erase", "1", "--reason", "asked to");
        Passes("audit", "verify");
        StopServer();
        File.Copy(project.PathOf("server/server.db"), project.PathOf("new.db"));
        File.Copy(project.PathOf("old.db"), project.PathOf("server/server.db"), overwrite: true);

        Assert.Contains("the mirror has 6 entries, the database 4", Refused("--ledger-mirror", "mirror"));
        StartServer(mirrored: false);
        Fails(1, "had 6 entries when an earlier checkpoint was signed, and has 4 now", "audit", "verify");
        Passes("audit", "erase", "3", "--reason", "other history");
        Fails(1, "this is another history", "audit", "verify");
        Passes("audit", "erase", "5", "--reason", "other history, longer");
        Fails(1, "this is another history", "audit", "verify");
        Fails(1, "this is another history", "audit", "verify", "--trust-anew", "--checkpoint", "mirror/checkpoint");

        // What failed is not remembered: the true history passes still.
        StopServer();
        File.Copy(project.PathOf("new.db"), project.PathOf("server/server.db"), overwrite: true);
        StartServer();
        Passes("audit", "verify", "--checkpoint", "mirror/checkpoint");
    }

    [Fact]
    public void A_server_set_up_anew_is_another_log_until_a_person_says_so()
    {
        Passes("audit", "verify");
        StopServer();
        Directory.Delete(project.PathOf("server"), recursive: true);
        Directory.Delete(project.PathOf("mirror"), recursive: true);
        StartServer();
        var failed = Fails(1, "is not one that slipway/ledger/", "audit", "verify");
        Assert.Contains("--trust-anew", failed.Errors);
        Passes("audit", "verify", "--trust-anew");
        Passes("audit", "verify");
    }

    private Ended Passes(params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == 0, ended.All);
        return ended;
    }

    private Ended Fails(int code, string message, params string[] arguments)
    {
        var ended = project.Run(arguments);
        Assert.True(ended.Code == code, ended.All);
        Assert.Contains(message, ended.Errors);
        return ended;
    }

    private void Edit(string sql)
    {
        var (code, output) = Python("-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], timeout=60); d.executescript(sys.argv[2]); d.commit()", project.PathOf("server/server.db"), sql);
        Assert.True(code == 0, output);
    }

    private (int Code, string Output) Python(params string[] arguments)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", arguments) { WorkingDirectory = project.Folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = python.StandardError.ReadToEndAsync();
        var output = python.StandardOutput.ReadToEnd();
        python.WaitForExit();
        return (python.ExitCode, output + errors.Result);
    }

    private void StartServer(bool mirrored = true)
    {
        server = project.Start(["server", "--json", "--folder", "server", "--port", port.ToString(), .. mirrored ? ["--ledger-mirror", "mirror"] : Array.Empty<string>()]);
        var text = "";
        while (!text.EndsWith("\n}\n", StringComparison.Ordinal) && server.StandardOutput.ReadLine() is { } line)
            text += line + "\n";
        Assert.True(text.Length > 0, text.Length > 0 ? "" : server.StandardError.ReadToEnd());
        var started = JsonDocument.Parse(text).RootElement;
        project.Variables["SLIPWAY_SERVER"] = started.GetProperty("urls").GetProperty("api").GetString()!;
        if (started.TryGetProperty("adminToken", out var token))
            project.Variables["SLIPWAY_TOKEN"] = token.GetString()!;
    }

    private void StopServer()
    {
        if (server is null)
            return;
        Process.Start("kill", ["-TERM", server.Id.ToString()]).WaitForExit();
        Assert.True(server.WaitForExit(TimeSpan.FromSeconds(60)));
        server.Dispose();
        server = null;
    }

    private string Refused(params string[] options)
    {
        var ended = project.Run(["server", "--folder", "server", "--port", port.ToString(), .. options]);
        Assert.True(ended.Code == 1, ended.All);
        return ended.Errors;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
