using System.Diagnostics;

namespace Slipway.EndToEnd;

public sealed class ResealTests
{
    [Fact]
    public void The_same_project_gives_the_same_digest_elsewhere()
    {
        using var here = new TinyProject();
        here.MakeKey();
        var expected = DigestOf(here.Run("run", "--json"));

        using var there = new TinyProject();
        there.MakeKey();     // another key, another home, another folder
        Shell($"cd '{there.Folder}' && git init -q && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first");
        Assert.Equal(expected, DigestOf(there.Run("run", "--json")));

        using var odd = new TinyProject();
        odd.MakeKey();
        var run = Shell($"cd '{odd.Folder}' && umask 077 && HOME='{odd.Home}' TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 '{RepositoryRoot.Slipway}' run --json");
        Assert.Equal(expected, DigestOf(run));
    }

    /// <summary>Each round draws all of its surroundings anew; together they hold every one of them.</summary>
    [Fact]
    public void Drawn_surroundings_never_reach_the_digest()
    {
        string[] folders = ["plain", "with a blank", "mit-Ümläut-λ", "-leading-dash", "'quoted\"$HOME`"], umasks = ["022", "077", "002", "027"],
            zones = ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"], locales = ["C", "tr_TR.UTF-8", "ar_SA.UTF-8", "de_DE.UTF-8"],
            clocks = ["1999-12-31 23:59:50", "2026-03-29 01:59:59", "2037-06-01 12:00:00", ""];
        var hasFalseClock = File.Exists("/usr/bin/faketime");
        var chance = new Random(20_261_122);
        string Draw(string[] from, int round) => from[round < from.Length ? round : chance.Next(from.Length)];

        using var here = new TinyProject();
        here.MakeKey();
        var expected = DigestOf(here.Run("run", "--json"));
        var root = Directory.CreateTempSubdirectory("slipway-reseal-").FullName;
        for (var round = 0; round < folders.Length; round++)
        {
            using var project = new TinyProject(Path.Combine(root, Draw(folders, round)));
            Shuffle(project.Folder, chance);
            project.MakeKey();
            if (round % 2 == 1)
                Shell($"git init -q && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m {round}", project.Folder);
            var clock = hasFalseClock && Draw(clocks, round) is { Length: > 0 } at ? $"faketime '{at}' " : "";
            var processors = round % 2 == 0 ? "taskset -c 0 " : "";
            var run = Shell($"umask {Draw(umasks, round)}; HOME='{project.Home}' TZ={Draw(zones, round)} LC_ALL={Draw(locales, round)} LANG= {processors}{clock}'{RepositoryRoot.Slipway}' run --json", project.Folder);
            Assert.True(run.Code == 0, $"round {round}: {run.All}");
            Assert.Equal(expected, DigestOf(run));
        }

        Directory.Delete(root, recursive: true);
        Assert.SkipUnless(hasFalseClock, "faketime is not installed, so the clock was the same in all rounds");
    }

    [Fact]
    public void Another_user_gets_the_same_digest()
    {
        Assert.SkipUnless(Environment.UserName == "root", "becoming another user needs root");
        using var here = new TinyProject();
        here.MakeKey();
        var expected = DigestOf(here.Run("run", "--json"));

        using var nobody = new TinyProject();
        nobody.MakeKey();
        // The checkout may lie where nobody else can read it.
        var installed = Directory.CreateTempSubdirectory("slipway-installed-").FullName;
        const string engine = "node_modules/@duckdb/node-bindings-linux-x64";
        var copied = Shell($"cp -r '{RepositoryRoot.Folder}/.build/slipway' '{installed}/' && mkdir -p '{installed}/{engine}' && cp '{RepositoryRoot.Folder}/{engine}/libduckdb.so' '{installed}/{engine}/' && chmod -R a+rX '{installed}'");
        Assert.True(copied.Code == 0, copied.All);
        Assert.Equal(0, Shell($"chown -R 65534:65534 '{nobody.Folder}' '{nobody.Home}'").Code);
        var run = Shell($"cd '{nobody.Folder}' && HOME='{nobody.Home}' setpriv --reuid 65534 --regid 65534 --clear-groups '{installed}/slipway/slipway' run --json");
        Directory.Delete(installed, recursive: true);
        Assert.Equal(expected, DigestOf(run));
    }

    private static string DigestOf(Ended run)
    {
        Assert.True(run.Code == 0, run.All);
        return run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }

    /// <summary>Makes all files anew in another order, with other times.</summary>
    private static void Shuffle(string folder, Random chance)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => (Path: path, Bytes: File.ReadAllBytes(path))).ToArray();
        chance.Shuffle(files);
        foreach (var (path, _) in files)
            File.Delete(path);
        foreach (var (path, bytes) in files)
        {
            File.WriteAllBytes(path, bytes);
            File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddDays(chance.Next(5_000, 20_000)));
        }
    }

    private static Ended Shell(string line, string folder = "/")
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["SLIPWAY_KEY_PASSPHRASE"] = TinyProject.Passphrase;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ended(process.ExitCode, output, errors.Result);
    }
}
