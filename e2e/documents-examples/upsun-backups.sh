# The examples of "Back up an environment" in Upsun's documentation, as they stand there and in their order.

# a backup every day, up to 7 kept
upsun project:curl settings -X PATCH \
   -d '{
       "data_retention": {
          "production": {
             "default_config": {
                "schedule": [
                  {"interval": "1d", "count": 7},
                 ]
              }
           }
        }
      }'

# several schedules
upsun project:curl settings -X PATCH \
   -d '{
       "data_retention": {
          "production": {
             "default_config": {
                "schedule": [
                  {"interval": "1d", "count": 7},
                  {"interval": "1w", "count": 4},
                  {"interval": "1M", "count": 12}
                 ]
              }
           }
        }
      }'

# at most so many
upsun project:curl /settings -X PATCH -d '{"data_retention": {"production": {"max_backups": 10}}}'

# at most so many manual ones
upsun project:curl /settings -X PATCH -d '{"data_retention": {"production": {"default_config":  {"manual_count": 1}}}}'

# a live backup
upsun backup:create --live

# a backup
upsun backup:create
