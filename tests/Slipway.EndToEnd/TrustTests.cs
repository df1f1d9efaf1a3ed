using System.Diagnostics;
using System.Net;

namespace Slipway.EndToEnd;

/// <summary>Whose word counts: policies, signatures made elsewhere, timestamps, and tools that know nothing of Slipway.</summary>
public sealed class TrustTests(SealedProject original) : IClassFixture<SealedProject>, IDisposable
{
    private const string Review = "https://example.org/review/v1";

    private readonly string copy = CopyOf(original), scratch = Directory.CreateTempSubdirectory("slipway trust ").FullName;

    private string Reference => $"oci:{copy}:tiny";

    private string PublicKey => Path.Combine(original.Project.Home, ".config/slipway/keys/default.key.pub");

    public void Dispose()
    {
        Directory.Delete(copy, recursive: true);
        Directory.Delete(scratch, recursive: true);
    }

    [Fact]
    public void Tools_that_know_nothing_of_slipway_verify_the_bundle_and_refuse_what_was_tampered_with()
    {
        Passes("sign", Reference);
        Passes("verify", Reference, "--attest");
        var verify = Tool(Path.Combine(RepositoryRoot.Folder, "tests/ecosystem/verify"), copy, PublicKey, "tiny");
        Assert.True(verify.Code == 0, verify.All);
        Assert.Contains("6 accepted, 30 tamperings refused", verify.Output);
        Assert.Contains("CycloneDX 1.6", verify.Output);
        Assert.Contains("byte for byte", verify.Output);

        // A script that could not fail would show nothing.
        Passes("keys", "new", Path.Combine(scratch, "other"));
        Assert.Equal(1, Tool(Path.Combine(RepositoryRoot.Folder, "tests/ecosystem/verify"), copy, Path.Combine(scratch, "other.pub"), "tiny").Code);
    }

    [Fact]
    public void A_policy_says_who_must_have_said_what()
    {
        Passes("keys", "new", Path.Combine(scratch, "risk"));
        var policy = Policy("");
        var lacking = original.Project.Run("verify", Reference, "--policy", policy, "--json");
        Assert.Equal(1, lacking.Code);
        Assert.Equal("statement-missing", lacking.Json.GetProperty("faults")[0].GetProperty("code").GetString());

        File.WriteAllText(Path.Combine(scratch, "review.json"), """{"verdict":"good"}""");
        Passes("attest", Reference, "--type", Review, "--predicate", Path.Combine(scratch, "review.json"), "--key", Path.Combine(scratch, "risk"));
        var met = Passes("verify", Reference, "--policy", policy, "--json").Json;
        Assert.Contains(met.GetProperty("statements").EnumerateArray(), said => said.GetProperty("predicate").GetString() == Review && said.GetProperty("signer").GetProperty("name").GetString() == "risk");
        Assert.Contains($"wanted    {Review}   by risk", Passes("verify", Reference, "--policy", policy).Output);
        Assert.Equal(2, original.Project.Run("verify", Reference, "--policy", policy, "--key", PublicKey).Code);
    }

    [Fact]
    public void A_timestamp_keeps_a_signature_when_its_key_is_revoked_later_and_nothing_else_does()
    {
        using var authority = new OpenSslAuthority(scratch);
        Passes("keys", "new", Path.Combine(scratch, "risk"));
        File.WriteAllText(Path.Combine(scratch, "review.json"), """{"finishedOn":"2020-01-01T00:00:00Z"}""");
        string[] attest = ["attest", Reference, "--type", Review, "--predicate", Path.Combine(scratch, "review.json"), "--key", Path.Combine(scratch, "risk")];
        var past = Policy(Revoked("2020-06-01T00:00:00Z"));

        // What the statement says of its own time is from before; that is only said.
        Passes(attest);
        Assert.Contains("signer-revoked", Refused(past));
        Assert.Equal(2, original.Project.Run("verify", Reference, "--policy", Policy(Revoked("2999-01-01T00:00:00Z"))).Code);

        // The new signature is stamped, and the one that the key made before.
        var stamped = Passes([.. attest, "--timestamp-url", authority.Url, "--json"]).Json;
        Assert.Equal([Review], stamped.GetProperty("stamped").EnumerateArray().Select(said => said.GetString()));
        Assert.Empty(Passes([.. attest, "--timestamp-url", authority.Url, "--json"]).Json.GetProperty("stamped").EnumerateArray());

        // Whole seconds: one that has wholly passed since the stamp.
        Thread.Sleep(TimeSpan.FromSeconds(2.1));
        var later = Revoked(TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Contains("says the timestamp authority Test clock", Passes("verify", Reference, "--policy", Policy(later)).Output);
        var clock = System.Security.Cryptography.SHA256.HashData(System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(scratch, "clock.pem"))).RawData);
        Assert.Contains("timestamp-revoked", Refused(Policy(later.Replace("\ntimestamp", $"\n  - {{ certificate: 'sha256:{Convert.ToHexStringLower(clock)}', since: 2020-01-01T00:00:00Z }}\ntimestamp", StringComparison.Ordinal))));
        Assert.Contains("signer-revoked", Refused(past));

        string Revoked(string since) => $"revoked:\n  - {{ key: {KeyId("risk")}, since: {since} }}\ntimestamp-authorities: [clock.pem]\n";
        string Refused(string policy) => original.Project.Run("verify", Reference, "--policy", policy, "--json") is { Code: 1 } refused ? refused.Output : "";
    }

    [Fact]
    public void A_command_signs_in_a_keys_place_in_a_run_too_and_a_key_may_come_from_the_environment()
    {
        using var project = new TinyProject();
        project.MakeKey();
        var key = Path.Combine(project.Home, ".config/slipway/keys/default.key");
        var command = $"openssl pkeyutl -sign -inkey {key} -passin pass:'correct horse' -pkeyopt digest:sha256";
        var run = project.Run("run", "--sign-command", command, "--public-key", key + ".pub");
        Assert.True(run.Code == 0, run.All);
        Assert.True(project.Run("verify", "tiny") is { Code: 0 });

        var wrong = project.Run("sign", "tiny", "--annotation", "a=b", "--sign-command", "echo no signature", "--public-key", key + ".pub");
        Assert.True(wrong.Code == 3, wrong.All);
        Assert.Contains("is no signature of this digest", wrong.Errors);

        project.Variables["SLIPWAY_SIGNING_KEY"] = File.ReadAllText(key);
        File.Delete(key);
        var signed = project.Run("sign", "tiny", "--annotation", "stage=release");
        Assert.True(signed.Code == 0, signed.All);
        Assert.True(project.Run("verify", "tiny") is { Code: 0 } verified && verified.Output.Contains("https://sigstore.dev/cosign/sign/v1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_stage_sees_neither_key_nor_passphrase()
    {
        using var project = new TinyProject();
        project.MakeKey();
        var key = Path.Combine(project.Home, ".config/slipway/keys/default.key");
        project.Variables["SLIPWAY_SIGNING_KEY"] = File.ReadAllText(key);
        var script = Directory.EnumerateFiles(project.PathOf("pipeline"), "*.py").Order(StringComparer.Ordinal).First();
        File.WriteAllText(script, "import os\nassert not [name for name in os.environ if name in ('SLIPWAY_SIGNING_KEY', 'SLIPWAY_KEY_PASSPHRASE')]\n" + File.ReadAllText(script));
        var run = project.Run("run");
        Assert.True(run.Code == 0, run.All);
        Assert.DoesNotContain(Directory.EnumerateFiles(project.PathOf(".slipway"), "*", SearchOption.AllDirectories), file => File.ReadAllText(file).Contains("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal));
    }

    [Fact]
    public void A_private_key_that_others_may_read_is_refused_with_what_to_do()
    {
        Passes("keys", "new", Path.Combine(scratch, "open"));
        File.SetUnixFileMode(Path.Combine(scratch, "open"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var refused = original.Project.Run("sign", Reference, "--key", Path.Combine(scratch, "open"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("chmod 600", refused.Errors);
    }

    private string Policy(string more)
    {
        var file = Path.Combine(scratch, $"{Directory.GetFiles(scratch, "*.yaml").Length}.yaml");
        File.WriteAllText(file, $$"""
            slipway-trust: 1
            signers:
              build: { keys: [{{PublicKey}}] }
              risk: { keys: [risk.pub] }
            require:
              - { predicate: https://slsa.dev/provenance/v1, by: [build] }
              - { predicate: {{Review}}, by: [risk] }
            {{more}}
            """);
        return file;
    }

    private string KeyId(string name) => Passes("keys", "show", Path.Combine(scratch, name), "--json").Json.GetProperty("key").GetProperty("id").GetString()!;

    private Ended Passes(params string[] arguments)
    {
        var ended = original.Project.Run(arguments);
        Assert.True(ended.Code == 0, $"slipway {string.Join(' ', arguments)}: {ended.All}");
        return ended;
    }

    private static string CopyOf(SealedProject project)
    {
        var folder = Directory.CreateTempSubdirectory("slipway copy ").FullName;
        TinyProject.CopyFolder(project.Layout, folder);
        return folder;
    }

    internal static Ended Tool(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return new Ended(process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>A timestamp authority of openssl's, behind HTTP.</summary>
    private sealed class OpenSslAuthority : IDisposable
    {
        private readonly HttpListener listener = new();
        private readonly string folder;

        public OpenSslAuthority(string folder)
        {
            this.folder = folder;
            var config = Path.Combine(folder, "clock.conf");
            File.WriteAllText(config, $"[tsa]\nserial = {folder}/serial\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\ness_cert_id_alg = sha256\n[leaf]\nextendedKeyUsage = critical,timeStamping\nbasicConstraints = CA:false\n");
            File.WriteAllText(Path.Combine(folder, "serial"), "01");
            Run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", P("root.key"), "-out", P("clock.pem"), "-subj", "/CN=Test clock", "-days", "10");
            Run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", P("leaf.key"), "-out", P("leaf.csr"), "-subj", "/CN=Test clock's stamp");
            Run("x509", "-req", "-in", P("leaf.csr"), "-CA", P("clock.pem"), "-CAkey", P("root.key"), "-CAcreateserial", "-out", P("leaf.pem"), "-days", "10", "-extfile", config, "-extensions", "leaf");
            using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
            free.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
            free.Stop();
            listener.Prefixes.Add(Url);
            listener.Start();
            _ = AnswerAsync();
        }

        public string Url { get; }

        /// <summary>One at a time, until it is closed.</summary>
        private async Task AnswerAsync()
        {
            while (listener.IsListening)
            {
                var asked = await listener.GetContextAsync();
                if (asked.Request.ContentType != "application/timestamp-query")
                {
                    asked.Response.StatusCode = 400;
                    asked.Response.Close();
                    continue;
                }

                using (var query = File.Create(P("query")))
                    await asked.Request.InputStream.CopyToAsync(query);
                Run("ts", "-reply", "-config", P("clock.conf"), "-section", "tsa", "-queryfile", P("query"), "-signer", P("leaf.pem"), "-inkey", P("leaf.key"), "-out", P("reply"));
                asked.Response.ContentType = "application/timestamp-reply";
                asked.Response.Close(File.ReadAllBytes(P("reply")), willBlock: true);
            }
        }

        public void Dispose() => listener.Close();

        private string P(string name) => Path.Combine(folder, name);

        private static void Run(params string[] arguments)
        {
            var ended = Tool("openssl", arguments);
            Assert.True(ended.Code == 0, ended.All);
        }
    }
}
