using System.Globalization;
using Slipway.Primitives.Faults;

namespace Slipway.Server.Storage;

/// <summary>Brings the schema up to date: numbered files of SQL, forward only, each applied once, under the lock of changes.</summary>
internal static class Migrations
{
    private const string Folder = "Slipway.Server.Storage.Migrations.";

    public static async Task ApplyAsync(Session session)
    {
        await session.ExecuteAsync("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL)");
        var applied = await session.FindAsync<long?>("SELECT MAX(number) FROM migrations") ?? 0;
        var all = All().ToArray();
        if (applied > all[^1].Number)
            throw new SlipwayException(ExitCode.NotThere, new Fault("schema-newer", $"the database's schema is number {applied}, this program knows {all[^1].Number}", Help: "run the newer program; a schema is never taken back"));
        foreach (var (number, name, sql) in all.Where(migration => migration.Number > applied))
        {
            await session.MigrateAsync(sql);
            await session.ExecuteAsync("INSERT INTO migrations (number, name) VALUES (@number, @name)", new { number, name });
        }
    }

    private static IEnumerable<(long Number, string Name, string Sql)> All()
    {
        var assembly = typeof(Migrations).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var name = resource[Folder.Length..];
            yield return (long.Parse(name.AsSpan(0, 4), CultureInfo.InvariantCulture), name, reader.ReadToEnd());
        }
    }
}
